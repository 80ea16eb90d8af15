// Text comes in pieces, plain text and the names of hidden characters in turn. Nothing is ever read as markup.

export function shown(pieces) {
  return pieces.map((piece, place) => (place % 2 ? h("span", { class: "sign" }, piece) : piece));
}

export function plain(pieces) {
  return pieces.map((piece, place) => (place % 2 ? `⟨${piece}⟩` : piece)).join("");
}

// An element with attributes, listeners ("onclick") and children: strings, nodes, lists of them, nothing.
export function h(name, attributes, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat(9).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export function counted(number, thing, things = `${thing}s`) {
  return `${number.toLocaleString("en")} ${number === 1 ? thing : things}`;
}
