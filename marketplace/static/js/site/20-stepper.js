/** Minus and plus around a number field; at a limit the button stays and says so. */
const button = (sign, words) => {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = sign;
  made.setAttribute("aria-label", words);
  return made;
};

for (const stepper of document.querySelectorAll("[data-stepper]")) {
  const field = stepper.querySelector("input");
  const less = button("−", stepper.dataset.less);
  const more = button("+", stepper.dataset.more);
  const note = document.createElement("span");
  note.className = "note";
  note.setAttribute("role", "status");
  stepper.prepend(less);
  stepper.append(more);
  stepper.after(note);
  const least = Number(field.min || 1);
  const most = Number(field.max || Infinity);
  const move = (by) => {
    const wanted = (Number.parseInt(field.value, 10) || least) + by;
    field.value = Math.min(Math.max(wanted, least), most);
    note.textContent = wanted > most ? stepper.dataset.limit : "";
    field.dispatchEvent(new Event("change", { bubbles: true }));
  };
  less.addEventListener("click", () => move(-1));
  more.addEventListener("click", () => move(1));
}
