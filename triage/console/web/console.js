// Keys and small helpers of all pages. Without scripts every page still opens; only these are missing.
{
  const $ = (selector) => document.querySelector(selector);
  const typing = (element) => element.closest("input, textarea, select, [contenteditable]");
  let last = "";

  const step = (by) => {
    const links = [...document.querySelectorAll(".records .at a")];
    const all = links.length ? links : [...document.querySelectorAll(".alerts h3 a")];
    const at = all.findIndex((link) => link === document.activeElement || link.href === last);
    const next = all[at < 0 ? 0 : Math.max(0, Math.min(all.length - 1, at + by))];
    if (!next) return;
    last = next.href;
    next.focus({ preventScroll: true });
    (next.closest("tr") ?? next).scrollIntoView({ block: "nearest" });
  };

  const keys = { "/": () => $("#find").focus(), j: () => step(1), k: () => step(-1), "?": () => $("#keys").showModal() };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || $("dialog[open]")) return;
    if (!keys[event.key] || !$("#find")) return;
    event.preventDefault();
    keys[event.key]();
  });

  // Numbers are as old as they are, whatever the connection says: those of Now come every two seconds.
  let shown = "", since = performance.now();
  setInterval(() => {
    const time = $(".status [data-at]");
    if (!time) return;
    if (time.dataset.at !== shown) [shown, since] = [time.dataset.at, performance.now()];
    time.closest(".status").classList.toggle("old", performance.now() - since > 15000);
  }, 1000);

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-toggles], [data-opens]");
    if (!button) return;
    if (button.dataset.opens) return $("#" + button.dataset.opens).showModal();
    const shown = $("#" + button.dataset.toggles).classList.toggle("shown");
    button.setAttribute("aria-expanded", shown);
  });
}
