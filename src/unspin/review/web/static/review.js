// A text under review: keys, clicks and answers. An answer changes its own mark and the articles beside it, no more.

import * as bulk from "./bulk.js";
import * as marks from "./marks.js";
import * as panel from "./panel.js";
import { keep, setting, themes } from "./settings.js";
import { ask, href } from "./server.js";
import { counted } from "./shown.js";

const body = document.body;
const text = Number(body.dataset.text);
const said = document.querySelector("#said");
const search = document.querySelector("#search");
const place = document.querySelector("#place");
const tabs = new BroadcastChannel("unspin");
const PATIENCE = 3000; // milliseconds between looks at what others decided
let last = Number(body.dataset.last);
let fading = 0;

// Keys may come faster than answers: one is done after the other.
let line = Promise.resolve();
const inTurn = (does) => (line = line.then(does).catch(complain));

function say(words, { wrong = false } = {}) {
  said.textContent = "";
  said.textContent = words;
  said.classList.add("fresh");
  said.classList.toggle("wrong", wrong);
  clearTimeout(fading);
  fading = setTimeout(() => said.classList.remove("fresh"), wrong ? 9000 : 3500);
}

function complain(error) {
  if (error.name === "AbortError") return;
  say(error.message, { wrong: true });
}

// Where we are

function progress() {
  const [done, total] = [marks.done(), marks.total];
  document.querySelector("#bar").value = done;
  document.querySelector("#progress").textContent = `${done.toLocaleString("en")} of ${total.toLocaleString("en")}`;
}

let telling = Promise.resolve();

async function turnTo(mark, options) {
  marks.turnTo(mark, options);
  if (!mark) return;
  sessionStorage.setItem(`unspin-${text}`, mark.dataset.id);
  const number = marks.place(mark);
  place.textContent = number ? `${number.toLocaleString("en")} of ${marks.total.toLocaleString("en")}` : "not chosen";
  telling = panel.tell(marks.id(mark), act).catch(complain); // y and n do not wait for it
}

async function onward() {
  const next = marks.next(marks.current, { open: true });
  await turnTo(next ?? marks.current, { scroll: Boolean(next) });
  if (!next) await finish();
}

async function finish() {
  await telling;
  if (!marks.total || marks.done() < marks.total) return;
  const words = `All ${counted(marks.total, "correction")} of this text are decided.`;
  panel.finished(words, body.dataset.several === "yes" ? document.querySelector("#leave").href : null);
}

// Answers

function took(told) {
  const changed = marks.patch(told.marks ?? []);
  if (told.last !== undefined) last = told.last;
  else if (told.decision === last + 1) last = told.decision; // else somebody else decided, too: `look` will tell
  progress();
  return changed;
}

async function look() {
  const told = await ask(`/texts/${text}/states?since=${last}`);
  const changed = took(told);
  if (changed.includes(marks.current)) telling = panel.tell(marks.id(marks.current), act).catch(complain);
  return changed;
}

async function answer(what) {
  const mark = marks.current;
  if (!mark) return;
  let told;
  try {
    told = await ask(`/items/${mark.dataset.id}`, { ...what, expected: mark.dataset.state });
  } catch (error) {
    if (error.status === 409) await look();
    throw error;
  }
  took(told);
  tabs.postMessage(text);
  say(`${mark.ariaLabel} ${marks.done()} of ${marks.total} decided.`);
  await onward();
}

async function undo() {
  const told = await ask("/undo", { text });
  took(told);
  tabs.postMessage(text);
  if (told.item && told.text !== text) {
    say(`${told.message} It is in another text.`);
    location.assign(href(told.text, told.item));
    return;
  }
  say(told.message);
  if (told.item) await turnTo(marks.mark(told.item));
}

async function decideAll(wanted) {
  const told = await ask("/bulk", { ...wanted, text });
  took(told);
  tabs.postMessage(text);
  const verb = wanted.answer === "accept" ? "Accepted" : "Rejected";
  say(`${verb} ${counted(told.count, "correction")}${wanted.document === null ? " in all texts" : ""}. u takes all of them back.`);
  await (marks.current && !marks.isOpen(marks.current) ? onward() : turnTo(marks.current, { scroll: false }));
}

async function allOfEntry(what, everywhere) {
  await telling;
  if (!panel.known) return undefined;
  if (!panel.known.occurrences) return answer({ answer: what });
  return decideAll({ answer: what, document: everywhere ? null : text, entry_of: panel.known.id });
}

async function askNever() {
  await telling;
  const { known } = panel;
  if (!known?.occurrences || !body.dataset.own) return say("There is no lexicon entry to set off.");
  const [spun, original] = known.entry.map((words) => words.join(""));
  const left = counted(known.occurrences.open, "undecided correction");
  document.querySelector("#never-words").textContent =
    `“${spun} ← ${original}” goes off in ${body.dataset.own}, and ${left} by it in all texts will be rejected. Undo takes both back.`;
  return document.querySelector("#never").showModal();
}

async function never() {
  document.querySelector("#never").close();
  const told = await ask(`/items/${panel.known.id}/never`, { text });
  took(told);
  tabs.postMessage(text);
  say(`Never again: off in ${body.dataset.own}, ${counted(told.count, "correction")} rejected.`);
  await onward();
}

const act = {
  say: (what) => inTurn(() => answer(what)),
  skip: () => inTurn(onward),
  all: (what, everywhere) => inTurn(() => allOfEntry(what, everywhere)),
  never: () => inTurn(askNever),
  turn: (id) => inTurn(() => turnTo(marks.mark(id))),
  back: () => marks.current?.focus({ preventScroll: true }),
};

// Views, search, keys

const views = [...document.querySelectorAll("#views input")];

function view(name) {
  body.dataset.view = name;
  for (const radio of views) radio.checked = radio.value === name;
}

function nextView() {
  const names = views.map((radio) => radio.value);
  view(names[(names.indexOf(body.dataset.view) + 1) % names.length]);
  say(`The text: ${body.dataset.view}`);
}

async function step(by) {
  const next = marks.next(marks.current, { step: by });
  if (next) await turnTo(next);
  else say(by > 0 ? "That was the last one." : "That was the first one.");
}

// As read, one stays where one is; in another order the first undecided one is what was asked for.
async function reorder(name) {
  marks.order(name);
  const first = name === "position" ? marks.current : (marks.next(null, { open: true }) ?? marks.current);
  await turnTo(first, { focus: false });
}

async function find(words) {
  const found = marks.find(words, marks.current);
  if (found) await turnTo(found, { focus: false });
  else say(`No correction holds “${words}”.`);
}

async function choose(number) {
  await telling;
  if (!panel.known) return;
  const choice = panel.known.choices[number - 1];
  if (choice) await answer({ words: choice.words });
  else say(`There is no option ${number}.`);
}

const DOES = {
  y: () => answer({ answer: "accept" }),
  n: () => answer({ answer: "reject" }),
  e: () => telling.then(() => panel.edit(act)),
  s: onward,
  a: () => allOfEntry("accept", false),
  A: () => allOfEntry("accept", true),
  d: () => allOfEntry("reject", false),
  D: () => allOfEntry("reject", true),
  N: askNever,
  u: undo,
  j: () => step(1),
  k: () => step(-1),
  b: () => telling.then(() => bulk.open(panel.known)),
  v: nextView,
  "/": () => (search.focus(), search.select()),
  "?": () => document.querySelector("#help").showModal(),
  q: () => location.assign(document.querySelector("#leave").href),
};
const BUTTONS = { undo, bulk: DOES.b, help: DOES["?"], previous: DOES.k, following: DOES.j };

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (document.querySelector("dialog[open]")) return;
  const on = event.target;
  if (on.matches("input:not([type=radio]), select, textarea")) {
    if (event.key === "Escape") act.back();
    return;
  }
  const opens = (event.key === "Enter" || event.key === " ") && on.matches(".mark");
  if (opens) inTurn(() => telling.then(() => document.querySelector("#card button")?.focus()));
  else if (event.key === "Escape") act.back();
  else if (setting("keys") === "off") return;
  else if (/^[1-9]$/.test(event.key)) inTurn(() => choose(Number(event.key)));
  else if (Object.hasOwn(DOES, event.key)) inTurn(DOES[event.key]);
  else return;
  event.preventDefault();
}

function fold(button) {
  const repeat = button.closest(".repeat");
  const isOpen = repeat.toggleAttribute("data-open");
  button.setAttribute("aria-expanded", String(isOpen));
  button.textContent = isOpen ? "Hide it" : "Show it";
}

function clicked(event) {
  const on = event.target.closest(".mark, [data-do], [data-fold], [data-close]");
  if (!on) return;
  if (on.matches("#article .mark")) inTurn(() => turnTo(on, { scroll: false }));
  if (on.dataset.do) inTurn(BUTTONS[on.dataset.do]);
  if (on.dataset.fold !== undefined) fold(on);
  if (on.dataset.close !== undefined) on.closest("dialog").close();
}

function connect() {
  themes();
  bulk.connect((wanted) => inTurn(() => decideAll(wanted)));
  document.querySelector("#never-do").addEventListener("click", () => inTurn(never));
  document.addEventListener("keydown", pressed);
  document.addEventListener("click", clicked);
  document.querySelector("#article").addEventListener("focusin", ({ target }) => {
    if (target.matches(".mark") && target !== marks.current) inTurn(() => target !== marks.current && turnTo(target, { focus: false }));
  });
  for (const radio of views) radio.addEventListener("change", () => view(radio.value));
  document.querySelector("#finder").addEventListener("submit", (event) => (event.preventDefault(), inTurn(() => find(search.value))));
  const order = document.querySelector("#order");
  order.addEventListener("change", () => inTurn(() => reorder(order.value)));
  const shortcuts = document.querySelector("#shortcuts");
  shortcuts.checked = setting("keys") !== "off";
  shortcuts.addEventListener("change", () => keep("keys", shortcuts.checked ? "on" : "off"));
  tabs.addEventListener("message", () => inTurn(look));
  const glance = () => document.visibilityState === "visible" && inTurn(look);
  document.addEventListener("visibilitychange", glance);
  window.addEventListener("hashchange", () => inTurn(() => land()));
  setInterval(glance, PATIENCE);
  marks.order(order.value);
}

// The mark that the address names, or the one left last, or the first undecided one.
async function land() {
  const named = /^#i(\d+)$/.exec(location.hash)?.[1];
  const asked = named && marks.mark(Number(named));
  if (asked) return turnTo(asked);
  if (named === undefined && marks.current) return undefined; // a link to a paragraph
  const left = marks.mark(Number(sessionStorage.getItem(`unspin-${text}`)));
  const first = left ?? marks.next(null, { open: true }) ?? marks.next(null);
  await turnTo(first, { focus: false, scroll: Boolean(left) });
  return finish();
}

connect();
inTurn(land);
