// What the page asks of unspin, and sends it.

const at = document.body.dataset.at;
const token = document.querySelector("meta[name=csrf]").content;

export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

export async function ask(path, body, { signal } = {}) {
  const sent = { "Content-Type": "application/json", "X-CSRF-Token": token };
  const options = body === undefined ? {} : { method: "POST", headers: sent, body: JSON.stringify(body) };
  let response;
  try {
    response = await fetch(at + path, { ...options, signal, cache: "no-store" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused(0, "unspin does not answer. Does it still run? What you answered so far is kept.");
  }
  const isJson = response.headers.get("Content-Type")?.startsWith("application/json");
  const told = isJson ? await response.json() : { message: (await response.text()).trim() };
  if (!response.ok) throw new Refused(response.status, told.message ?? "That went wrong.");
  return told;
}

export const href = (text, item) => `${at}/texts/${text}${item ? `#i${item}` : ""}`;
