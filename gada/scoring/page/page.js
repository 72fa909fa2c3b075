"use strict";

const AT_ONCE = 2;
const $ = (id) => document.getElementById(id);
const waiting = [];
let scale = null;
let running = 0;

fetch("v1/model").then((answer) => answer.json()).then((model) => {
  scale = model.scale;
  $("model").textContent = `${model.description}; ${model.mode}`;
  const [worst, best] = ends();
  $("key-worst").textContent = `worst ${worst}`;
  $("key-best").textContent = `${best} best`;
});

/** The worst and the best score of the scale. */
function ends() {
  return scale.higher_is_better ? [scale.low, scale.high] : [scale.high, scale.low];
}

/** Element with a class and a text. */
function element(tag, name, text) {
  const made = document.createElement(tag);
  made.className = name;
  if (text !== undefined) made.textContent = text;
  return made;
}

/** Show cards for the files and score them, two at a time. */
function take(files) {
  for (const file of files) {
    const card = element("li", "");
    const picture = element("div", "picture", "…");
    const facts = element("div", "facts");
    facts.append(element("div", "name", file.name), element("div", "state", "scoring …"));
    card.append(picture, facts);
    $("results").append(card);
    show(file, picture);
    waiting.push({ file, card, picture, facts });
  }
  $("bar").hidden = !$("results").children.length;
  next();
}

/** Show the image itself, where the browser can. */
function show(file, picture) {
  const image = new Image();
  image.alt = file.name;
  image.onload = () => {
    URL.revokeObjectURL(image.src);
    picture.firstChild.remove();
    picture.prepend(image);
  };
  image.onerror = () => { picture.firstChild.textContent = "no preview of this format"; };
  image.src = URL.createObjectURL(file);
}

function next() {
  while (running < AT_ONCE && waiting.length) {
    running += 1;
    score(waiting.shift()).finally(() => { running -= 1; next(); });
  }
}

async function score({ file, card, picture, facts }) {
  let answer;
  try {
    const reply = await fetch("v1/score?map=true", {
      method: "POST", body: file, headers: { "Content-Type": file.type || "application/octet-stream" },
    });
    answer = await reply.json();
    if (!reply.ok) throw new Error(typeof answer.detail === "string" ? answer.detail : "the request was refused");
  } catch (error) {
    facts.lastChild.replaceWith(element("div", "state error", error.message));
    return;
  }
  facts.lastChild.remove();
  const value = element("div", "score", answer.score.toFixed(4));
  const place = answer.percentile === null
    ? `spread ${answer.spread.toPrecision(3)}`
    : `better than ${Math.floor(answer.percentile)} % of the training photos`;
  value.append(element("small", "", ` ${answer.scale.name}, ${place}`));
  const kind = answer.distortion ? `looks like ${answer.distortion} (${Math.round(100 * answer.probability)} %)` : "";
  facts.append(value, gauge(answer), element("div", "kind", kind));
  if (answer.unusual) facts.append(element("div", "unusual", `Unusual: ${answer.unusual}. Do not rely on this score.`));
  picture.append(mapOf(answer));
  card.dataset.quality = answer.quality;
  sort();
}

/** Where the score lies between the worst and the best of its scale. */
function gauge(answer) {
  const [worst, best] = ends();
  const bar = element("div", "gauge");
  const mark = element("i", "");
  mark.style.left = `${100 * answer.quality}%`;
  bar.append(mark);
  const labels = element("div", "ends");
  labels.append(element("span", "", `${worst} worst`), element("span", "", `best ${best}`));
  const whole = element("div", "");
  whole.append(bar, labels);
  return whole;
}

/** The scores of the parts, as an image of one pixel for each, stretched over the whole. */
function mapOf(answer) {
  const { scores } = answer.map;
  const small = document.createElement("canvas");
  small.width = scores[0].length;
  small.height = scores.length;
  const [worst, best] = ends();
  const context = small.getContext("2d");
  scores.forEach((row, y) => row.forEach((one, x) => {
    context.fillStyle = colour((one - worst) / (best - worst));
    context.fillRect(x, y, 1, 1);
  }));
  const large = document.createElement("canvas");  // has the shape of the shown image, so that it lies exactly over it
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
  const cards = [...$("results").children];
  cards.sort((one, other) => (other.dataset.quality ?? -1) - (one.dataset.quality ?? -1));
  $("results").append(...cards);
}

$("files").addEventListener("change", (event) => { take(event.target.files); event.target.value = ""; });
$("clear").addEventListener("click", () => { waiting.length = 0; $("results").replaceChildren(); $("bar").hidden = true; });
$("show-map").addEventListener("change", (event) => document.body.classList.toggle("plain", !event.target.checked));
for (const name of ["dragenter", "dragover", "dragleave", "drop"]) {
  document.addEventListener(name, (event) => {
    event.preventDefault();
    $("drop").classList.toggle("over", name === "dragenter" || name === "dragover");
    if (name === "drop") take(event.dataTransfer.files);
  });
}
