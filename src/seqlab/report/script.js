"use strict";
document.documentElement.classList.add("scripted");

const make = (tag, attributes = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
};

// Contents: a menu button on narrow screens, and a mark at the part in view.
const contents = document.querySelector(".contents"), menu = contents.querySelector(".menu");
const openMenu = (open) => {
  contents.classList.toggle("open", open);
  menu.setAttribute("aria-expanded", open);
};
menu.hidden = false;
menu.addEventListener("click", () => openMenu(!contents.classList.contains("open")));
contents.addEventListener("click", (event) => { if (event.target.closest("a")) openMenu(false); });
document.addEventListener("keydown", (event) => { if (event.key === "Escape") openMenu(false); });
const links = [...contents.querySelectorAll("a")];
const targets = links.map((link) => document.getElementById(decodeURIComponent(link.hash.slice(1))));
const markLink = () => {
  let current = 0;
  targets.forEach((target, place) => {
    if (target && target.getBoundingClientRect().top < innerHeight / 3) current = place;
  });
  links.forEach((link, place) => {
    if (place === current) link.setAttribute("aria-current", "true"); else link.removeAttribute("aria-current");
  });
};
let waiting = false;
addEventListener("scroll", () => {
  if (!waiting) requestAnimationFrame(() => { waiting = false; markLink(); });
  waiting = true;
}, { passive: true });
markLink();

// A click on a column head sorts the models by it; a second click reverses the order. References stay below.
for (const head of document.querySelectorAll("table.sortable thead th")) {
  const button = make("button", { type: "button" }, ...head.childNodes);
  head.append(button);
  button.addEventListener("click", () => {
    const body = head.closest("table").tBodies[0], column = head.cellIndex;
    const down = head.getAttribute("aria-sort") === "ascending";
    for (const other of head.parentNode.cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const value = (row) => {
      const text = row.cells[column].textContent.trim().replaceAll(",", "");
      const number = text.startsWith("∞") ? Infinity : parseFloat(text);
      return column > 1 ? (Number.isNaN(number) ? null : number) : text;
    };
    const compare = (first, second) => {
      const [a, b] = [value(first), value(second)];
      if (a === null || b === null) return (a === null) - (b === null);  // unknown values come last in both orders
      const order = typeof a === "string" ? a.localeCompare(b, "en", { numeric: true }) : a === b ? 0 : a < b ? -1 : 1;
      return down ? -order : order;
    };
    body.append(...[...body.rows].sort(compare));
  });
}

// The filter by family and the search hide rows of the models.
for (const tools of document.querySelectorAll(".tools[data-table]")) {
  const body = document.getElementById(tools.dataset.table).tBodies[0];
  const [family, search, count] = ["select", "input", "output"].map((name) => tools.querySelector(name));
  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of body.rows) {
      const name = row.cells[0].textContent.toLowerCase();
      row.hidden = (family.value && row.dataset.family !== family.value) || !words.every((word) => name.includes(word));
      shown += !row.hidden;
    }
    count.textContent = `${shown} of ${body.rows.length} models`;
  };
  family.addEventListener("change", filter);
  search.addEventListener("input", filter);
  tools.hidden = false;
  filter();
}

// A flag for each part of the first list: true where it belongs to a longest common subsequence with the second.
const findCommon = (first, second) => {
  const width = second.length + 1, lengths = new Uint16Array((first.length + 1) * width), common = [];
  for (let row = first.length - 1; row >= 0; row--) {
    for (let column = second.length - 1; column >= 0; column--) {
      const place = row * width + column;
      lengths[place] = first[row] === second[column]
        ? lengths[place + width + 1] + 1 : Math.max(lengths[place + width], lengths[place + 1]);
    }
  }
  for (let row = 0, column = 0; row < first.length;) {
    const place = row * width + column;
    if (column < second.length && first[row] === second[column]) { common[row++] = true; column++; }
    else if (column < second.length && lengths[place + 1] > lengths[place + width]) column++;
    else common[row++] = false;
  }
  return common;
};

// A chooser shows two texts side by side in place of the list of all, with the lines or words marked that differ.
const WORDS = /\s+|[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]|[^\s\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]+/gu;
for (const list of document.querySelectorAll(".texts")) {
  const texts = [...list.querySelectorAll("pre")];
  if (texts.length < 2) continue;
  const pattern = list.dataset.compared === "lines" ? /[^\n]+|\n/g : WORDS;
  const parts = texts.map((text) => text.textContent.match(pattern) ?? []);
  const panes = [0, 1].map((place) => {
    const select = make("select", {}, ...texts.map((text, number) => make("option", { value: number }, text.dataset.model)));
    select.value = place;
    const label = make("label", {}, place ? "second model " : "first model ", select);
    const text = make("pre", { dir: "auto", tabindex: 0, "aria-live": "polite" });
    return { select, text, box: make("div", {}, make("div", { class: "tools" }, label), text) };
  });
  const show = () => panes.forEach(({ select, text }, place) => {
    const shown = parts[select.value], common = findCommon(shown, parts[panes[1 - place].select.value]);
    text.replaceChildren(...shown.map((part, number) =>
      common[number] || !part.trim() ? part : make("mark", {}, part)));
  });
  panes.forEach(({ select }) => select.addEventListener("change", show));
  list.before(make("div", { class: "pair" }, ...panes.map(({ box }) => box)));
  list.hidden = true;
  show();
}

// Figures: the nearest point under the pointer, arrow keys from point to point, and buttons that hide series.
for (const plot of document.querySelectorAll("svg.plot[data-series]")) {
  const series = JSON.parse(plot.dataset.series), figure = plot.closest("figure");
  const points = series.flatMap((content, number) => content.points.map(([x, y, text]) => ({ x, y, text, number })));
  if (!points.length) continue;
  const hidden = new Set(), circle = document.createElementNS(plot.namespaceURI, "circle");
  const readout = make("p", { class: "readout soft", "aria-live": "polite" }, "Point at the figure, or use the arrow keys.");
  circle.classList.add("pointer", "off");
  circle.setAttribute("r", 6);
  plot.append(circle);
  plot.setAttribute("tabindex", 0);
  figure.querySelector("figcaption").before(readout);
  let current = null;
  const show = (point) => {
    current = point;
    circle.classList.toggle("off", !point);
    if (!point) return;
    circle.setAttribute("cx", point.x);
    circle.setAttribute("cy", point.y);
    const name = series[point.number].name;
    readout.textContent = name ? `${name}: ${point.text}` : point.text;
  };
  const visible = () => points.filter((point) => !hidden.has(point.number));
  plot.addEventListener("pointermove", (event) => {
    const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(plot.getScreenCTM().inverse());
    const distance = (point) => (point.x - x) ** 2 + (point.y - y) ** 2;
    const nearest = visible().reduce((best, point) => !best || distance(point) < distance(best) ? point : best, null);
    if (nearest && distance(nearest) < 900) show(nearest);
  });
  plot.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 1, ArrowUp: -1 }[event.key], candidates = visible();
    if (!step || !candidates.length) return;
    event.preventDefault();
    const place = candidates.indexOf(current), along = event.key === "ArrowRight" || event.key === "ArrowLeft";
    if (place < 0) { show(candidates[0]); return; }
    const numbers = [...new Set(candidates.map((point) => point.number))];
    if (along || numbers.length < 2) { show(candidates[(place + step + candidates.length) % candidates.length]); return; }
    const next = numbers[(numbers.indexOf(current.number) + step + numbers.length) % numbers.length];
    const onNext = candidates.filter((point) => point.number === next);
    show(onNext.reduce((best, point) => Math.abs(point.x - current.x) < Math.abs(best.x - current.x) ? point : best));
  });
  const named = series.map((content, number) => ({ ...content, number })).filter(({ name }) => name);
  if (named.length < 2) continue;
  const buttons = named.map(({ name, number, ids, legend }) => {
    const button = make("button", { type: "button", "aria-pressed": "true" }, name);
    button.switchTo = (on) => {
      button.setAttribute("aria-pressed", on);
      hidden[on ? "delete" : "add"](number);
      for (const id of ids) document.getElementById(id)?.classList.toggle("off", !on);
      for (const id of legend) document.getElementById(id)?.classList.toggle("dim", !on);
      if (!on && current?.number === number) show(null);
    };
    button.addEventListener("click", () => button.switchTo(button.getAttribute("aria-pressed") !== "true"));
    return button;
  });
  const all = make("button", { type: "button" }, "hide or show all");
  all.addEventListener("click", () => {
    const on = buttons.some((button) => button.getAttribute("aria-pressed") !== "true");
    buttons.forEach((button) => button.switchTo(on));
  });
  const legend = make("div", { class: "legend", role: "group", "aria-label": "Series" }, all, ...buttons);
  figure.prepend(legend);
}
