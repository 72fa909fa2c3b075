"use strict";

const AT_ONCE = 2;
const IMAGE = /\.(jpe?g|png|webp|bmp|gif|tiff?|jp2|j2k|avif|ppm|pgm)$/i;
const $ = (id) => document.getElementById(id);
const entries = []; // {file, card, facts, picture, answer, error, done}
let waiting = [];
let model = null;
let running = 0;
const ready = choose("");

/** Describe a model of the server, and score everything again with it. */
async function choose(name) {
  const reply = await fetch(`v1/model?model=${encodeURIComponent(name)}`);
  model = await reply.json();
  const origin = model.proxy ? `computed scores of ${model.data}, not human ones` : `human scores of ${model.data}`;
  const { low, high } = model.scale;
  $("model").textContent = `Predicts ${model.scale.name}, ${number(low)} to ${number(high)}, ` +
    `${model.scale.higher_is_better ? "higher" : "lower"} is better; learned from ${origin} (${model.mode}).`;
  $("model-name").replaceChildren(...model.choice.map((one) => new Option(one, one, false, one === model.name)));
  entries.forEach(again);
}

/** A number as it is, with two decimals at most. */
function number(value) { return String(Math.round(100 * value) / 100); }

/** The worst and the best score of the scale. */
function ends({ low, high, higher_is_better: up }) { return up ? [low, high] : [high, low]; }

/** Element with a class and a text. */
function element(tag, name, text) {
  const made = document.createElement(tag);
  made.className = name;
  if (text !== undefined) made.textContent = text;
  if (tag === "button") made.type = "button";
  return made;
}

/** Show cards for the files and score them, two at a time. */
async function take(files) {
  await ready;
  for (const file of files) {
    const entry = { file, card: element("li", ""), picture: element("button", "picture", "…"), facts: element("div", "facts") };
    entry.picture.addEventListener("click", () => view([entry]));
    entry.picture.setAttribute("aria-label", `Enlarge ${file.name}`);
    entry.card.append(entry.picture, entry.facts);
    $("results").append(entry.card);
    entries.push(entry);
    show(entry);
    again(entry);
  }
}

/** Show the image itself, where the browser can. */
function show({ file, picture }) {
  const image = imageOf(file, () => picture.firstChild.replaceWith(image));
  image.onerror = () => { picture.firstChild.textContent = "no preview"; };
}

function imageOf(file, loaded = () => {}) {
  const image = new Image();
  image.alt = file.name;
  image.onload = () => { URL.revokeObjectURL(image.src); loaded(); };
  image.src = URL.createObjectURL(file);
  return image;
}

/** Put an entry into the queue, as if it were new. */
function again(entry) {
  entry.answer = entry.error = null;
  entry.picture.querySelector("canvas")?.remove();
  entry.facts.replaceChildren(element("div", "name", entry.file.name), element("div", "state", "scoring …"));
  if (!waiting.includes(entry)) waiting.push(entry);
  tally();
  next();
}

function next() {
  while (running < AT_ONCE && waiting.length) {
    running += 1;
    score(waiting.shift()).finally(() => { running -= 1; next(); });
  }
}

async function score(entry) {
  const { name } = model;
  const asked = $("show-map").checked;
  try {
    const reply = await fetch(`v1/score?map=${asked}&model=${encodeURIComponent(name)}`, {
      method: "POST", body: entry.file, headers: { "Content-Type": entry.file.type || "application/octet-stream" },
    });
    const answer = await reply.json();
    const reason = typeof answer.detail === "string" ? answer.detail : "the request was refused";
    if (!reply.ok) throw new Error(reply.status === 422 ? `Cannot be read: ${reason.replace("the image cannot be read: ", "")}` : reason);
    entry.answer = answer;
  } catch (error) {
    entry.error = error.message;
  }
  if (name === model.name && entries.includes(entry)) tell(entry); // otherwise another model was chosen meanwhile
}

/** Show the score of an entry, or why it has none. */
function tell(entry) {
  const { answer, facts, file, error } = entry;
  facts.replaceChildren(element("div", "name", file.name));
  if (error) facts.append(element("div", "error", error));
  else {
    const value = element("div", "score", answer.score.toFixed(2));
    value.append(element("small", "", ` ${answer.scale.name}`));
    facts.append(value);
    if (answer.percentile !== null)
      facts.append(element("div", "", `better than ${Math.floor(answer.percentile)} % of the training photos`));
    facts.append(gauge(answer));
    if (answer.distortion)
      facts.append(element("div", "", `looks like ${answer.distortion_name} (${Math.round(100 * answer.probability)} %)`));
    if (answer.unusual) facts.append(element("div", "unusual", `Unusual: ${answer.unusual}. Do not rely on this score.`));
    facts.append(compareButton(entry));
    if (answer.map) entry.picture.append(mapOf(answer));
  }
  sort();
  tally();
}

/** Where the score lies between the worst and the best of its scale. */
function gauge(answer) {
  const [worst, best] = ends(answer.scale);
  const bar = element("div", "gauge");
  const mark = element("i", "");
  mark.style.left = `${100 * answer.quality}%`;
  bar.append(mark);
  const labels = element("div", "ends");
  labels.append(element("span", "", `${number(worst)} worst`), element("span", "", `best ${number(best)}`));
  const whole = element("div", "");
  whole.append(bar, labels);
  return whole;
}

/** A button that marks an image; two marked ones are shown side by side. */
function compareButton(entry) {
  const button = element("button", "compare", "Compare");
  entry.button = button;
  button.setAttribute("aria-pressed", false);
  button.addEventListener("click", () => {
    button.setAttribute("aria-pressed", button.getAttribute("aria-pressed") !== "true");
    const marked = entries.filter((one) => one.button?.getAttribute("aria-pressed") === "true");
    if (marked.length < 2) return;
    marked.forEach((one) => one.button.setAttribute("aria-pressed", false));
    view(marked);
  });
  return button;
}

/** Enlarge an image, or show two side by side; at full size they scroll together. */
function view(shown) {
  const panes = [];
  $("views").replaceChildren(...shown.map(({ file, answer, error }) => {
    const figure = document.createElement("figure");
    const pane = element("div", "pane");
    pane.append(imageOf(file));
    pane.addEventListener("scroll", () => panes.forEach((one) => one.scrollTo(pane.scrollLeft, pane.scrollTop)));
    panes.push(pane);
    const said = answer ? `${answer.score.toFixed(2)} ${answer.scale.name}${answer.unusual ? ", unusual" : ""}` : error ?? "";
    figure.append(pane, element("figcaption", "", `${file.name} ${said}`));
    return figure;
  }));
  $("viewer").classList.remove("full");
  $("viewer").showModal();
}

/** The scores of the parts, as an image of one pixel for each, stretched over the whole. */
function mapOf(answer) {
  const { scores } = answer.map;
  const small = document.createElement("canvas");
  small.width = scores[0].length;
  small.height = scores.length;
  const [worst, best] = ends(answer.scale);
  const context = small.getContext("2d");
  scores.forEach((row, y) => row.forEach((one, x) => {
    context.fillStyle = colour((one - worst) / (best - worst));
    context.fillRect(x, y, 1, 1);
  }));
  const large = document.createElement("canvas"); // has the shape of the shown image, so that it lies exactly over it
  const shrink = Math.min(1, 1024 / Math.max(answer.width, answer.height));
  large.width = Math.max(1, Math.round(answer.width * shrink));
  large.height = Math.max(1, Math.round(answer.height * shrink));
  const target = large.getContext("2d");
  target.imageSmoothingEnabled = false;
  target.drawImage(small, 0, 0, large.width, large.height);
  return large;
}

/** Purple (worst) over white to green (best): told apart also by people who do not see red and green. */
function colour(quality) {
  const stops = [[123, 50, 148], [247, 247, 247], [0, 136, 55]];
  const place = Math.min(1.9999, Math.max(0, 2 * quality));
  const [from, to] = [stops[Math.floor(place)], stops[Math.floor(place) + 1]];
  return `rgb(${from.map((value, index) => Math.round(value + (place % 1) * (to[index] - value))).join(",")})`;
}

/** Put the best image first, and what has no score last. */
function sort() {
  const place = ({ answer }) => answer?.quality ?? -1;
  entries.sort((one, other) => place(other) - place(one));
  $("results").append(...entries.map((entry) => entry.card));
}

/** Say how many images there are and how many are still waiting. */
function tally() {
  const left = entries.filter((entry) => !entry.answer && !entry.error).length;
  $("bar").hidden = !entries.length;
  $("count").textContent = `${entries.length} image${entries.length === 1 ? "" : "s"}${left ? `, ${left} to score` : ""}`;
}

/** The session as a CSV file, in the order of the page. */
function save() {
  const columns = ["image", "score", "scale", "quality", "percentile", "distortion", "unusual", "model", "error"];
  const cell = (value) => `"${String(value ?? "").replace(/^[=+@-]/, "'$&").replaceAll('"', '""')}"`;
  const rows = entries.map(({ file, answer, error }) => [file.webkitRelativePath || file.name, answer?.score, answer?.scale.name,
    answer?.quality, answer?.percentile, answer?.distortion_name, answer?.unusual, answer?.model, error]);
  const link = element("a", "");
  const lines = [columns, ...rows].map((row) => row.map((one) => (typeof one === "number" ? one : cell(one))).join(","));
  link.href = URL.createObjectURL(new Blob([lines.join("\n") + "\n"], { type: "text/csv" }));
  link.download = "scores.csv";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

/** The files of what was dropped; of a folder those that are named like images, at any depth. */
async function dropped(data) {
  const roots = [...data.items].filter((item) => item.kind === "file").map((item) => item.webkitGetAsEntry?.() ?? item.getAsFile());
  const found = [];
  for (const root of roots) {
    if (!root) continue;
    if (root instanceof File) found.push(root);
    else if (root.isFile) found.push(await fileOf(root));
    else found.push(...await below(root));
  }
  return found;
}

function fileOf(entry) { return new Promise((done, fail) => { entry.file(done, fail); }); }

async function below(folder) {
  const reader = folder.createReader();
  const found = [];
  for (let some; (some = await new Promise((done, fail) => { reader.readEntries(done, fail); })).length;) {
    for (const entry of some) {
      if (entry.isDirectory) found.push(...await below(entry));
      else if (IMAGE.test(entry.name)) found.push(await fileOf(entry));
    }
  }
  return found;
}

$("files").addEventListener("change", ({ target }) => { take([...target.files]); target.value = ""; });
$("folder").addEventListener("change", ({ target }) => {
  take([...target.files].filter((file) => IMAGE.test(file.name)));
  target.value = "";
});
$("model-name").addEventListener("change", ({ target }) => choose(target.value));
$("save").addEventListener("click", save);
$("zoom").addEventListener("click", () => $("viewer").classList.toggle("full"));
$("clear").addEventListener("click", () => {
  entries.length = waiting.length = 0;
  $("results").replaceChildren();
  tally();
});
$("show-map").addEventListener("change", ({ target }) => {
  document.body.classList.toggle("mapped", target.checked);
  $("key").hidden = !target.checked;
  if (target.checked) entries.filter((entry) => entry.answer && !entry.answer.map).forEach(again);
});
for (const name of ["dragenter", "dragover", "dragleave", "drop"]) {
  document.addEventListener(name, async (event) => {
    event.preventDefault();
    $("drop").classList.toggle("over", name === "dragenter" || name === "dragover");
    if (name === "drop") take(await dropped(event.dataTransfer));
  });
}
