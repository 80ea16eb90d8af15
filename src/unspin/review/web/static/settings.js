// How the page looks and whether letters are keys: kept in cookies, which outlive the address of one review.

const THEMES = ["auto", "light", "dark"];

export function setting(name) {
  return document.cookie.split("; ").find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);
}

export function keep(name, value) {
  document.cookie = `${name}=${value}; Path=/; Max-Age=31536000; SameSite=Strict`;
}

export function themes() {
  for (const button of document.querySelectorAll("[data-theme-button]")) {
    button.addEventListener("click", () => {
      const root = document.documentElement;
      const theme = THEMES[(THEMES.indexOf(root.dataset.theme) + 1) % THEMES.length];
      root.dataset.theme = theme;
      button.textContent = `Theme: ${theme}`;
      keep("theme", theme);
    });
  }
}
