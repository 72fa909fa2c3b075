"""Each phase moves what it should move and leaves the rest."""

from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pytest
import torch
from pytorch_lightning import Trainer
from torch.utils.data import DataLoader

from gada.data.batches import Batch
from gada.models import projector
from gada.models.discriminator import Discriminator
from gada.models.efficientnet_lite import EfficientNetLite0
from gada.models.evaluator import Evaluator
from gada.models.generator import Generator
from gada.settings import LossSettings, ModelSettings, Settings, TrainingSettings, preset_settings
from gada.training.adversarial import Adversarial
from gada.training.augmentation import Augmentation
from gada.training.baseline import Baseline
from gada.training.data import Steps
from gada.training.evaluator import EvaluatorTraining, real_crops, seeded
from gada.training.finetuning import FineTuning
from gada.training.quiet import quiet_lightning

# One step without a validation is what is wanted here.
pytestmark = pytest.mark.filterwarnings("ignore:You defined a `validation_step`")
MODEL = ModelSettings(widths=(8, 8, 8), decoder_widths=(8, 8, 4), maps=16, hidden=8, noise=2, embedding=4)


def settings(**loss: Any) -> Settings:
    return Settings(model=MODEL, loss=LossSettings(**loss), training=TrainingSettings(validate_every=10))


def training(**options: Any) -> Settings:
    return Settings(model=MODEL, training=TrainingSettings(**options))


def batch(count: int = 4) -> Batch:
    source = torch.Generator().manual_seed(0)
    pictures = torch.randint(0, 256, (3, count, 3, 32, 32), generator=source, dtype=torch.uint8)
    label, quality = torch.arange(count) % 2, torch.linspace(0.1, 0.9, count)
    return Batch(pictures[0], pictures[1], label, quality, 1 - label, quality.flip(0), pictures[2])


def weights(network: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in network.named_parameters()}


def moved(network: torch.nn.Module, before: dict[str, torch.Tensor]) -> set[str]:
    return {name.split(".")[0] for name, value in network.named_parameters() if not torch.equal(value, before[name])}


def fit(module: EvaluatorTraining) -> None:
    quiet_lightning()
    trainer = Trainer(
        accelerator="cpu",
        max_epochs=1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(module, DataLoader([batch()], batch_size=None))  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def same_weights() -> None:
    torch.manual_seed(0)


def test_phase_1_moves_every_player() -> None:
    evaluator, generator = Evaluator(MODEL, 2), Generator(MODEL, 2)
    module = Adversarial(Discriminator(evaluator), generator, settings())
    before = weights(module)
    fit(module)
    assert {"discriminator", "generator", "evaluator"} <= moved(module, before)
    assert moved(evaluator, {n.removeprefix("evaluator."): w for n, w in before.items() if n.startswith("evaluator.")})
    assert all(parameter.requires_grad for parameter in module.discriminator.parameters())


def test_a_discriminator_looks_through_a_pretrained_trunk_that_stays_as_it_is() -> None:
    """Its features of the first crops have one scale, and the generator learns through it."""
    crops = torch.rand(8, 3, 32, 32)
    with patch.object(projector, "pretrained_trunk", EfficientNetLite0):
        seen = projector.Projector(crops)
    features = seen(crops)
    assert features.shape == (8, seen.features)
    torch.testing.assert_close(features.mean(dim=0), torch.zeros(seen.features), atol=1e-3, rtol=0)
    assert float(features.std(dim=0).max()) <= 1.001
    module = Adversarial(Discriminator(Evaluator(MODEL, 2), seen), Generator(MODEL, 2), settings())
    before, frozen = weights(module), weights(seen)
    fit(module)
    assert {"discriminator", "generator", "evaluator"} <= moved(module, before)
    assert not moved(seen, frozen)
    generated = torch.rand(4, 3, 32, 32, requires_grad=True)
    both = module.discriminator(generated).features
    for part in both.tensor_split([module.evaluator.features], dim=1):
        (grad,) = torch.autograd.grad(part.sum(), generated, retain_graph=True)
        assert float(grad.abs().max()) > 0


def test_the_generator_s_step_leaves_the_discriminator_and_its_statistics() -> None:
    module = Adversarial(Discriminator(Evaluator(MODEL, 2)), Generator(MODEL, 2), settings())
    module.log_dict = lambda *_, **__: None  # type: ignore[method-assign]
    statistics = {name: value.clone() for name, value in module.discriminator.named_buffers()}
    reference = torch.rand(4, 3, 32, 32)
    generated = module.generator(reference, batch().label, batch().quality, module.generator.draw(reference))
    module.generator_loss(module.pairs(generated, batch()), batch())
    assert all(torch.equal(value, statistics[name]) for name, value in module.discriminator.named_buffers())
    assert module.discriminator.training


def test_head_gradients_come_from_real_crops_only_where_asked() -> None:
    for heads, differs in ((False, False), (True, True)):
        grads = []
        for seed in (1, 2):  # other generated crops
            torch.manual_seed(0)
            module = Adversarial(
                Discriminator(Evaluator(MODEL, 2)),
                Generator(MODEL, 2),
                settings(heads_on_generated=heads, source_trains_trunk=True),
            )
            module.discriminator.eval()  # batch statistics would carry the other crops over
            module.log_dict = lambda *_, **__: None  # type: ignore[method-assign]
            generated = torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(seed))
            pairs = module.pairs(generated, batch())
            module.discriminator.eval()
            loss = module.discriminator_loss(pairs, batch(), batch())
            (grad,) = torch.autograd.grad(loss, list(module.evaluator.quality_head.parameters())[:1])
            grads.append(grad)
        assert torch.equal(*grads) is not differs


def test_the_source_loss_trains_the_trunk_only_where_asked() -> None:
    for shared in (False, True):
        module = Adversarial(
            Discriminator(Evaluator(MODEL, 2)), Generator(MODEL, 2), settings(source_trains_trunk=shared)
        )
        generated, grads = torch.rand(4, 3, 32, 32), []
        for weight in (0.0, 1.0):
            loss = replace(module.settings.loss, source_weight=weight)
            module.settings = replace(module.settings, loss=loss)
            found = module.discriminator_loss(module.pairs(generated, batch()), batch(), batch())
            players = [next(module.evaluator.trunk.parameters()), module.discriminator.source_head.weight]
            grads.append(torch.autograd.grad(found, players))
        (trunk, source), (trunk_too, source_too) = grads
        assert torch.equal(trunk, trunk_too) is not shared
        assert not torch.equal(source, source_too)


def test_the_rates_fall_over_all_phases_as_over_the_baseline() -> None:
    chosen = training(phase1_steps=100, phase2_steps=60, phase3_steps=40)
    evaluator, generator = Evaluator(MODEL, 2), Generator(MODEL, 2)
    phases = [Adversarial(Discriminator(evaluator), generator, chosen), Augmentation(evaluator, generator, chosen)]
    baseline = Baseline(evaluator, chosen)
    assert phases[0].lr_scale(80, phases[0].span) == pytest.approx(baseline.lr_scale(80, baseline.span))
    assert phases[1].lr_scale(55, phases[1].span) == pytest.approx(baseline.lr_scale(155, baseline.span))
    last = FineTuning(evaluator, chosen)
    assert last.lr_scale(40, last.span) == pytest.approx(0)
    assert phases[0].lr_scale(100, phases[0].spans()[0]) == pytest.approx(0)  # of the generator
    assert (
        baseline.lr_scale(0, baseline.span)
        < baseline.lr_scale(49, baseline.span)
        > baseline.lr_scale(199, baseline.span)
    )
    paper = replace(chosen, training=replace(chosen.training, anneal=False))
    assert FineTuning(evaluator, paper).lr_scale(40, last.span) == 1


def test_phase_2_leaves_the_generator() -> None:
    generator = Generator(MODEL, 2)
    before = weights(generator)
    module = Augmentation(Evaluator(MODEL, 2), generator, settings())
    evaluator = weights(module.evaluator)
    fit(module)
    assert not moved(generator, before)
    assert moved(module.evaluator, evaluator)


def test_phase_2_weighs_generated_crops_as_set() -> None:
    module = Augmentation(Evaluator(MODEL, 2), Generator(MODEL, 2), training())
    crops = module.labelled_crops(batch(), 0)
    assert len(crops.images) == 8
    assert crops.weight.sum().item() == pytest.approx(1)
    assert crops.weight[4:].sum().item() == pytest.approx(module.settings.training.generated_fraction)
    assert torch.equal(crops.label[4:], batch().target_label)
    assert torch.equal(crops.quality[4:], batch().target_quality)
    again = module.labelled_crops(batch(), 0)
    assert torch.equal(crops.images, again.images)
    assert not torch.equal(crops.images[4:], module.labelled_crops(batch(), 1).images[4:])


def test_rates_are_those_of_the_paper() -> None:
    paper = replace(preset_settings("paper"), model=MODEL)
    adversarial = Adversarial(Discriminator(Evaluator(MODEL, 2)), Generator(MODEL, 2), paper)
    for_generator, for_discriminator = adversarial.configure_optimizers()
    assert [group["lr"] for group in for_generator.param_groups] == [5e-4]
    assert [group["lr"] for group in for_discriminator.param_groups] == [1e-4, 5e-4]
    for later in (
        FineTuning(Evaluator(MODEL, 2), paper),
        Augmentation(Evaluator(MODEL, 2), Generator(MODEL, 2), paper),
    ):
        (optimizer,) = later.configure_optimizers()
        assert [group["lr"] for group in optimizer.param_groups] == pytest.approx([1e-5, 5e-5])
    counted = sum(len(group["params"]) for group in for_discriminator.param_groups)
    assert counted == len(list(adversarial.discriminator.parameters()))


def test_real_crops_are_the_distorted_ones() -> None:
    crops = real_crops(batch())
    torch.testing.assert_close(crops.images, batch().distorted / 255)
    assert crops.weight.sum().item() == pytest.approx(1)


def test_steps_of_a_stretch_follow_the_one_before() -> None:
    steps = Steps(7, 3)
    seen = []
    for epoch in range(3):
        steps.set_epoch(epoch)
        assert len(list(steps)) == len(steps)
        seen += list(steps)
    assert seen == list(range(7))


def test_noise_is_a_function_of_its_key() -> None:
    cpu = torch.device("cpu")
    draws = {key: torch.rand(2, generator=seeded(cpu, *key)) for key in ((0, 1, 5), (0, 2, 5), (1, 1, 5), (0, 1, 6))}
    assert torch.equal(draws[0, 1, 5], torch.rand(2, generator=seeded(cpu, 0, 1, 5)))
    assert len({tuple(values.tolist()) for values in draws.values()}) == 4


def test_several_devices_share_what_the_generator_makes() -> None:
    chosen = training(generator_batch=3)
    modules = [Augmentation(Evaluator(MODEL, 2), Generator(MODEL, 2), chosen) for _ in range(2)]
    whole = [len(part) for part in modules[0].generator_part(batch())]
    for rank, module in enumerate(modules):
        module.rank, module.devices = rank, 2
    shares = [len(module.generator_part(batch()).label) for module in modules]
    assert (whole[2], shares) == (3, [2, 1])
    with patch.object(Augmentation, "step_number", return_value=5):
        noise = [torch.rand(2, generator=module.noise_source(2, 0)) for module in modules]
    assert torch.equal(noise[0], torch.rand(2, generator=seeded(torch.device("cpu"), 0, 2, 5))), "as one device alone"
    assert not torch.equal(*noise)
