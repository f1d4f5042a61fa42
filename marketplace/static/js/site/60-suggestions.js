/** Suggestions under the search field: a combobox with arrow keys, Enter and Esc. Absent without script. */
const form = document.querySelector("form[data-suggest]");
const field = form?.querySelector("input[name=q]");

const pattern = (typed) => {
  const letters = [...typed.replace(/\s/g, "")].map((letter) => letter.replace(/[\\^$.*+?()[\]{}|/]/, "\\$&"));
  return new RegExp(letters.join("\\s*"), "iu"); // pinyin is shown with its syllables apart, and typed without
};

const marked = (text, typed) => {
  const found = pattern(typed).exec(text);
  if (!found?.[0]) return [text];
  const strong = document.createElement("strong");
  strong.textContent = found[0];
  return [text.slice(0, found.index), strong, text.slice(found.index + found[0].length)];
};

const option = (suggestion, typed, number) => {
  const item = document.createElement("li");
  item.id = `suggestion-${number}`;
  item.setAttribute("role", "option");
  item.dataset.url = suggestion.url;
  const words = document.createElement("span");
  words.append(...marked(suggestion.text, typed));
  item.append(words);
  if (suggestion.pinyin) {
    const pinyin = document.createElement("small");
    pinyin.append(...marked(suggestion.pinyin, typed));
    item.append(pinyin);
  }
  return item;
};

if (field) {
  const list = document.createElement("ul");
  list.className = "suggestions";
  list.id = "suggestions";
  list.hidden = true;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", field.getAttribute("aria-label"));
  form.append(list);
  for (const [name, value] of Object.entries({ role: "combobox", "aria-controls": "suggestions", "aria-expanded": "false", "aria-autocomplete": "list" })) field.setAttribute(name, value);
  let chosen = -1;
  let timer = 0;
  let latest = null;

  const close = () => {
    latest?.abort();
    list.hidden = true;
    chosen = -1;
    field.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-activedescendant");
  };
  const choose = (number) => {
    const items = [...list.children];
    if (!items.length) return;
    chosen = (number + items.length) % items.length;
    items.forEach((item, place) => item.setAttribute("aria-selected", String(place === chosen)));
    field.setAttribute("aria-activedescendant", items[chosen].id);
  };
  const ask = async () => {
    const typed = field.value.trim();
    if (!typed) return close();
    latest?.abort();
    latest = new AbortController();
    try {
      const answer = await fetch(`${form.dataset.suggest}?q=${encodeURIComponent(typed)}`, { signal: latest.signal });
      if (!answer.ok) return close();
      const { suggestions } = await answer.json();
      if (document.activeElement !== field) return;
      list.replaceChildren(...suggestions.slice(0, 8).map((each, number) => option(each, typed, number)));
      list.hidden = !suggestions.length;
      chosen = -1;
      field.setAttribute("aria-expanded", String(suggestions.length > 0));
      field.removeAttribute("aria-activedescendant");
    } catch (error) {
      if (error.name !== "AbortError") close();
    }
  };

  field.addEventListener("input", (event) => {
    clearTimeout(timer);
    if (!event.isComposing) timer = setTimeout(ask, 120);
  });
  field.addEventListener("compositionend", ask);
  field.addEventListener("keydown", (event) => {
    if (event.isComposing || list.hidden) return;
    if (event.key === "ArrowDown") choose(chosen + 1);
    else if (event.key === "ArrowUp") choose(chosen < 0 ? -1 : chosen - 1);
    else if (event.key === "Escape") close();
    else if (event.key === "Enter" && chosen >= 0) location.assign(list.children[chosen].dataset.url);
    else return;
    event.preventDefault();
  });
  field.addEventListener("blur", close);
  list.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    const item = event.target.closest("li");
    if (item) location.assign(item.dataset.url);
  });
}
