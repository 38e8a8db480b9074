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

  // Saved views of Explore: [name, query] by name, kept in this browser.
  const read = (box) => JSON.parse(localStorage.getItem(box.dataset.views) ?? "[]");
  const write = (box, views) => {
    localStorage.setItem(box.dataset.views, JSON.stringify(views));
    list(box);
  };
  const list = (box) => {
    const entries = read(box).map(([name, query]) => {
      const [entry, link, remove] = ["li", "a", "button"].map((tag) => document.createElement(tag));
      Object.assign(link, { href: "explore" + query, textContent: name });
      Object.assign(remove, { type: "button", className: "not", textContent: "×", ariaLabel: box.dataset.remove + name });
      remove.onclick = () => write(box, read(box).filter(([other]) => other !== name));
      entry.append(link, remove);
      return entry;
    });
    box.querySelector("ul").replaceChildren(...entries);
  };
  document.addEventListener("toggle", ({ target }) => target.matches?.(".views") && list(target), true);
  document.addEventListener("submit", (event) => {
    const box = event.target.closest(".views");
    if (!box) return;
    event.preventDefault();
    const name = event.target.elements.name.value.trim();
    if (!name) return;
    const others = read(box).filter(([other]) => other !== name);
    write(box, [...others, [name, location.search]].sort(([one], [two]) => one.localeCompare(two)));
    event.target.reset();
  });

  // A chart as PNG: its colours are variables of the page, which an image does not know.
  const picture = async ({ dataset: { picture, subtitle } }, svg) => {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    const text = new XMLSerializer().serializeToString(svg).replace(/var\((--[\w-]+)\)/g, (_, name) => colour(name));
    const { width, height } = svg.getBoundingClientRect();
    const image = new Image(width * 2, height * 2);
    image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(text);
    await image.decode();
    const canvas = Object.assign(document.createElement("canvas"), { width: width * 2 + 32, height: height * 2 + 164 });
    const drawing = canvas.getContext("2d");
    const say = (font, name, words, y) => {
      Object.assign(drawing, { font: font + " system-ui, sans-serif", fillStyle: colour(name) });
      drawing.fillText(words, 24, y, width * 2 - 16);
    };
    drawing.fillStyle = colour("--card");
    drawing.fillRect(0, 0, canvas.width, canvas.height);
    say("600 32px", "--text", picture, 50);
    say("24px", "--muted", subtitle, 90);
    let x = 24;
    for (const entry of document.querySelectorAll("#over-time .legend li")) {
      drawing.fillStyle = getComputedStyle(entry.firstElementChild).backgroundColor;
      drawing.fillRect(x, 112, 18, 18);
      drawing.fillStyle = colour("--muted");
      drawing.fillText(entry.textContent, x + 28, 130);
      x += 64 + drawing.measureText(entry.textContent).width;
    }
    drawing.drawImage(image, 16, 148, width * 2, height * 2);
    Object.assign(document.createElement("a"), { download: "feedback.png", href: canvas.toDataURL() }).click();
  };
  document.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-picture]");
    const svg = button?.closest("section").querySelector(".chart svg");
    if (svg) picture(button, svg);
  });
}
