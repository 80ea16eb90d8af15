// Many at once: by entry, by confidence, here or everywhere; the number is the ledger's, and it is told as it changes.

import { ask } from "./server.js";
import { counted } from "./shown.js";
import * as marks from "./marks.js";

const dialog = document.querySelector("#bulk");
const form = dialog.querySelector("form");
const least = form.querySelector("#least");
const here = Number(document.body.dataset.text);
let item = null;
let asking = new AbortController();

function wanted() {
  const fields = new FormData(form);
  return {
    answer: fields.get("answer"),
    document: fields.get("scope") === "here" ? here : null,
    entry_of: fields.get("of") === "entry" ? item : null,
    kinds: fields.getAll("kinds"),
    min_confidence: least.value / 100,
  };
}

async function count() {
  form.querySelector("#least-said").textContent = `${least.value} %`;
  asking.abort();
  asking = new AbortController();
  const asked = wanted();
  touch(asked);
  try {
    const { count: number } = await ask("/count", asked, { signal: asking.signal });
    const verb = asked.answer === "accept" ? "Accept" : "Reject";
    const button = form.querySelector("#bulk-do");
    form.querySelector("#bulk-count").textContent = number.toLocaleString("en");
    form.querySelector("#bulk-words").textContent = asked.document ? "in this text" : "in all texts";
    button.textContent = `${verb} ${counted(number, "correction")}`;
    button.disabled = !number;
  } catch (error) {
    if (error.name !== "AbortError") form.querySelector("#bulk-words").textContent = error.message;
  }
}

// Show in the article which ones are meant.
function touch({ entry_of: entryOf, kinds, min_confidence: sure }) {
  const entry = entryOf && marks.mark(entryOf).dataset.entry;
  for (const mark of marks.all) {
    const { state, repeats, aside, dataset = mark.dataset } = mark.dataset;
    const kind = repeats ? "repeats" : state === "held" ? "held" : "proposed";
    const isMeant = marks.isOpen(mark) && aside === undefined && kinds.includes(kind) && dataset.sure >= sure;
    mark.classList.toggle("touched", dialog.open && isMeant && (!entry || dataset.entry === entry));
  }
}

export function open(known) {
  item = known?.occurrences ? known.id : null;
  const entry = form.querySelector("[name=of][value=entry]");
  entry.disabled = !item;
  if (!item) form.querySelector("[name=of][value=any]").checked = true;
  const [spun, original] = known ? [known.before.join(""), known.choices[0].shown.join("")] : [];
  form.querySelector("#bulk-entry").textContent = item ? `${spun} → ${original}` : "the current entry";
  dialog.showModal();
  count();
}

// `decide` is given what is wanted once the reader says so.
export function connect(decide) {
  form.addEventListener("input", count);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    dialog.close();
    decide(wanted());
  });
  dialog.addEventListener("close", () => touch({ kinds: [], min_confidence: 2 }));
}
