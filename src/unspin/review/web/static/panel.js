// The side panel: what is known of the correction before the reader, and what to say to it.

import { ask, href } from "./server.js";
import { counted, h, shown } from "./shown.js";

const card = document.querySelector("#card");
const here = Number(document.body.dataset.text);
let loading = new AbortController();
export let known = null; // what the panel tells of

// Tell of an item; `act` does what its buttons say.
export async function tell(id, act) {
  loading.abort();
  loading = new AbortController();
  card.setAttribute("aria-busy", "true");
  known = null;
  const { signal } = loading;
  const told = await ask(`/items/${id}`, undefined, { signal });
  if (signal.aborted) return;
  known = told;
  card.replaceChildren(...content(told, act).filter(Boolean));
  card.setAttribute("aria-busy", "false");
  document.querySelector("#panel").scrollTop = 0;
}

export function finished(words, nextHref) {
  card.querySelector(".finished")?.remove();
  const way = nextHref && h("a", { href: nextHref }, "Back to the texts");
  const then = h("p", {}, h("code", {}, "unspin apply"), " writes the cleaned text.");
  card.prepend(h("div", { class: "finished" }, h("p", {}, h("strong", {}, words)), then, way));
}

export function edit(act) {
  if (!known || known.repeats) return;
  card.querySelector("#edit")?.remove();
  const input = h("input", { type: "text", id: "words", autocomplete: "off", autocapitalize: "off" });
  input.value = known.words;
  const form = h(
    "form",
    { id: "edit", onsubmit: (event) => (event.preventDefault(), act.say({ words: input.value })) },
    h("label", { for: "words" }, "What should stand there (empty: nothing)"),
    input,
    h("button", { type: "submit", class: "main" }, "Save"),
    h("button", { type: "button", onclick: () => close() }, "Cancel"),
  );
  const close = () => (form.remove(), act.back());
  form.addEventListener("keydown", (event) => {
    if (event.key === "Escape") (event.stopPropagation(), close());
  });
  card.querySelector(".answers").after(form);
  input.focus();
  input.select();
}

function content(told, act) {
  return [
    h("h2", {}, ...heading(told)),
    h("p", { class: "status" }, status(told)),
    answers(told, act),
    !told.repeats && h("h3", { id: "options" }, "What may stand there"),
    !told.repeats && options(told, act),
    told.repeats && h("h3", {}, `Paragraph ${told.repeats.number}, which is kept`),
    told.repeats && kept(told.repeats),
    h("h3", {}, "Evidence"),
    h("dl", { class: "evidence" }, told.evidence.map(([term, text]) => [h("dt", {}, term), h("dd", {}, shown(text))])),
    ...occurrences(told, act),
    ...history(told),
  ];
}

function heading(told) {
  if (told.repeats) return ["A repeated paragraph"];
  const before = told.before.join("");
  const to = told.after.join("") === before ? told.choices[0].shown : told.after;
  const words = to.join("") ? shown(to) : "nothing";
  return [h("del", {}, shown(told.before)), h("span", { "aria-hidden": "true" }, " → "), h("ins", {}, words)];
}

function status(told) {
  const [word, ...rest] = told.status.split(/(?<=[:.]) /);
  return [h("span", { class: "stamp", "data-state": told.state }, word.replace(/[:.]$/, "")), rest.length > 0 && `: ${rest.join(" ")}`];
}

function answers(told, act) {
  const [yes, no] = told.repeats ? ["Remove", "Keep"] : ["Accept", "Reject"];
  const button = (name, key, does, main) =>
    h("button", { type: "button", class: main && "main", onclick: does }, `${name} `, h("kbd", {}, key));
  return h(
    "div",
    { class: "answers", role: "group", "aria-label": "Your answer" },
    button(yes, "y", () => act.say({ answer: "accept" }), true),
    button(no, "n", () => act.say({ answer: "reject" })),
    !told.repeats && button("Edit…", "e", () => edit(act)),
    button("Skip", "s", act.skip),
  );
}

function options(told, act) {
  const option = (key, words, figure, sure, isChosen, does, extra) => {
    const button = h(
      "button",
      { type: "button", "aria-pressed": String(isChosen), class: extra, onclick: does },
      h("kbd", {}, key),
      h("span", { class: "words" }, words.some(Boolean) ? shown(words) : "nothing"),
      h("span", { class: "figure" }, figure),
    );
    button.style.setProperty("--sure", `${100 * sure}%`);
    return h("li", {}, button);
  };
  return h(
    "ol",
    { class: "options", "aria-labelledby": "options" },
    told.choices.map((one, place) =>
      option(String(place + 1), one.shown, one.percent, one.confidence, one.chosen, () => act.say({ words: one.words })),
    ),
    option("n", told.before, `${told.alone.percent} as it is`, told.alone.confidence, told.alone.chosen, () => act.say({ answer: "reject" }), "as-is"),
  );
}

function kept(repeats) {
  const stretches = repeats.kept.map(([same, text]) => (same ? shown(text) : h("mark", {}, shown(text))));
  return h("p", { class: "kept" }, stretches.flatMap((stretch) => [stretch, " "]));
}

function occurrences({ occurrences: found }, act) {
  if (!found) return [];
  const others = found.total - 1;
  const more = others - found.shown.length;
  const there = found.total - found.here;
  const where = [found.here > 1 && `${(found.here - 1).toLocaleString("en")} here`, there && `${there.toLocaleString("en")} in other texts`];
  return [
    h("h3", {}, `Other occurrences: ${where.filter(Boolean).join(", ") || "none"}`),
    h("ul", { class: "elsewhere" }, found.shown.map((one) => occurrence(one, act))),
    more > 0 && h("p", { class: "nothing" }, `… and ${more.toLocaleString("en")} more`),
    h("div", { class: "spread", role: "group", "aria-label": "All that is undecided of this entry" }, spread(found, act)),
  ];
}

function spread(found, act) {
  const pair = (number, where, everywhere, [yes, no]) => [
    h("button", { type: "button", onclick: () => act.all("accept", everywhere) }, `Accept ${number.toLocaleString("en")} ${where} `, h("kbd", {}, yes)),
    h("button", { type: "button", onclick: () => act.all("reject", everywhere) }, "Reject ", h("kbd", {}, no)),
  ];
  return [
    found.open_here > 1 && pair(found.open_here, "here", false, "ad"),
    found.open > found.open_here && pair(found.open, "everywhere", true, "AD"),
    document.body.dataset.own && h("button", { type: "button", class: "quiet", onclick: act.never }, "Never again… ", h("kbd", {}, "N")),
  ];
}

function occurrence(one, act) {
  const isHere = one.document === here;
  const go = (event) => isHere && (event.preventDefault(), act.turn(one.id));
  return h(
    "li",
    {},
    h(
      "a",
      { href: isHere ? `#i${one.id}` : href(one.document, one.id), onclick: go },
      shown(one.left), h("b", {}, shown(one.before)), shown(one.right),
      h("small", {}, one.status, one.name ? [" · ", h("bdi", {}, shown(one.name))] : null),
    ),
  );
}

const ACTS = { decide: "", undo: "Undone, back to: ", opinion: "Second opinion: " };

function history({ history: lines }) {
  if (!lines.length) return [];
  const said = (one) => [
    ACTS[one.act], one.new.toLowerCase(), one.after && [" by “", shown(one.after), "”"], " · ", h("bdi", {}, shown(one.reviewer)), ` · ${one.interface} · `,
    h("time", { datetime: one.at }, new Date(one.at).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" })),
  ];
  return [h("h3", {}, "History"), h("ol", { class: "history", reversed: true }, lines.map((one) => h("li", {}, said(one))))];
}
