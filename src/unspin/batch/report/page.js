"use strict";
// The documents come packed, and are unpacked when they are looked at. Every text goes into the page as text.
const ROWS = 100;
const at = (id) => document.getElementById(id);
const number = new Intl.NumberFormat("en");

async function unpacked(id) {
  const packed = Uint8Array.from(atob(at(id).textContent), (c) => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).json();
}

const state = { all: null, shown: [], page: 0, parts: new Map(), opener: null };

function added(parent, tag, text, kind) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (kind) made.className = kind;
  parent.append(made);
  return made;
}

const KINDS = {
  all: () => true,
  changed: (n) => state.all.changed[n],
  spun: (n) => state.all.spun[n],
  held: (n) => state.all.held[n] > 0,
  copies: (n) => state.all.copy[n],
  errors: (n) => state.all.error[n] !== "",
};

function select() {
  const all = state.all, wanted = KINDS[at("kind").value], order = at("order").value;
  const query = at("query").value.trim().toLowerCase();
  const files = all.files.map((name) => name.toLowerCase().includes(query));
  state.shown = [];
  for (let n = 0; n < all.id.length; n++) {
    if (wanted(n) && (!query || files[all.file[n]] || all.id[n].toLowerCase().includes(query))) state.shown.push(n);
  }
  if (order !== "place") state.shown.sort((a, b) => all[order][b] - all[order][a] || a - b);
  state.page = 0;
  show();
}

function remarks(n) {
  const all = state.all, parts = [];
  if (all.spun[n]) parts.push("spun");
  if (all.copy[n]) parts.push("copy");
  if (all.error[n]) parts.push(all.error[n]);
  return parts.join(", ");
}

function row(body, n) {
  const all = state.all, line = added(body, "tr"), name = added(line, "td");
  if (all.diff[n] >= 0) {
    const button = added(name, "button", all.id[n]);
    button.type = "button";
    button.addEventListener("click", () => open(n, button));
  } else added(name, "span", all.id[n]);
  if (!all.id[n].startsWith(all.files[all.file[n]])) added(name, "small", all.files[all.file[n]]);
  added(line, "td", number.format(all.words[n]), "n");
  added(line, "td", all.spun[n] ? all.rate[n].toFixed(2) : "", "n");
  added(line, "td", all.evidence[n].toFixed(2), "n");
  for (const column of ["swaps", "held", "repeats"]) added(line, "td", all[column][n] || "", "n");
  added(line, "td", remarks(n));
}

function show() {
  const count = state.shown.length, pages = Math.max(1, Math.ceil(count / ROWS)), first = state.page * ROWS;
  const body = document.createElement("tbody");
  for (const n of state.shown.slice(first, first + ROWS)) row(body, n);
  at("documents").tBodies[0].replaceWith(body);
  const total = state.all.total, some = number.format(state.all.id.length);
  const listed = state.all.id.length < total ? `; ${some} of ${number.format(total)} are listed` : "";
  at("count").textContent = `${number.format(count)} ${count === 1 ? "document" : "documents"}${listed}`;
  at("page").textContent = `Page ${number.format(state.page + 1)} of ${number.format(pages)}`;
  at("first").disabled = at("previous").disabled = state.page === 0;
  at("last").disabled = at("next").disabled = state.page >= pages - 1;
}

function turn(to) {
  state.page = Math.min(Math.max(0, to), Math.max(0, Math.ceil(state.shown.length / ROWS) - 1));
  show();
  at("documents").parentElement.scrollTop = 0;
}

async function open(n, opener) {
  const part = state.all.diff[n];
  if (!state.parts.has(part)) state.parts.set(part, unpacked(`diffs-${part}`));
  const segments = (await state.parts.get(part))[n];
  const text = document.createElement("div");
  for (const one of segments) {
    if (typeof one === "string") { text.append(one); continue; }
    const [before, after, confidence, by] = one, title = `confidence ${confidence.toFixed(2)}, decided by ${by}`;
    if (before) added(text, "del", before).title = title;
    if (after) added(text, "ins", after).title = title;
  }
  at("diff-name").textContent = state.all.id[n];
  at("diff-text").replaceChildren(...text.childNodes);
  state.opener = opener;
  at("diff").showModal();
  at("diff").scrollTop = 0;
  at("close").focus();
}

async function begin() {
  state.all = await unpacked("list");
  at("find").addEventListener("submit", (event) => event.preventDefault());
  let waiting = 0;
  at("query").addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(select, 150); });
  at("kind").addEventListener("change", select);
  at("order").addEventListener("change", select);
  at("first").addEventListener("click", () => turn(0));
  at("previous").addEventListener("click", () => turn(state.page - 1));
  at("next").addEventListener("click", () => turn(state.page + 1));
  at("last").addEventListener("click", () => turn(Infinity));
  at("close").addEventListener("click", () => at("diff").close());
  at("diff").addEventListener("close", () => state.opener?.focus());
  select();
}

begin().catch((error) => { at("count").textContent = `The list cannot be read: ${error.message}`; });
