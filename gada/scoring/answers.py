"""What the server answers, as its JSON interface describes it."""

from pydantic import BaseModel, Field


class ScaleAnswer(BaseModel):
    """The scale of a score."""

    name: str
    low: float
    high: float
    higher_is_better: bool


class MapAnswer(BaseModel):
    """Scores of the parts of an image."""

    scores: list[list[float]] = Field(description="Row by row, on the scale.")
    tops: list[int] = Field(description="Upper edge of each row of parts, in pixels.")
    lefts: list[int] = Field(description="Left edge of each column of parts, in pixels.")
    size: int = Field(description="Side of a part, in pixels.")


class ScoreAnswer(BaseModel):
    """The score of one image."""

    score: float = Field(description="On the scale; see `scale` for its range and direction.")
    quality: float = Field(description="In [0, 1], higher is better.")
    spread: float = Field(description="Standard deviation of the crops' scores.")
    distortion: str = Field(description="The most probable distortion class.")
    distortion_name: str = Field(description="What a person calls it.")
    probability: float = Field(description="Its probability.")
    percentile: float | None = Field(description="Percentage of the training photos that are worse, where known.")
    unusual: str = Field(
        description="Why the score says little, such as mostly flat, or unlike the training photos; else empty."
    )
    scale: ScaleAnswer
    model: str
    mode: str
    height: int
    width: int
    map: MapAnswer | None = None


class ModelAnswer(BaseModel):
    """A model at work."""

    name: str = Field(description="What `?model=` calls it.")
    choice: list[str] = Field(description="The names of all models of this server, its own first.")
    data: str = Field(description="The set that it was fitted to.")
    model: str
    mode: str
    scale: ScaleAnswer
    classes: list[str]
    description: str
    proxy: bool = Field(description="True where the scores it was fitted to were computed and not given by people.")
