/** What the server said also floats for six seconds, longer while looked at, and goes when pressed; errors stay. An error summary takes the focus. */
document.querySelector("[data-focus]")?.focus();

const strip = document.querySelector("[data-toasts]");
const passing = strip ? [...strip.querySelectorAll(".flash--done, .flash--note")] : [];
for (const flash of passing) {
  let timer = 0;
  const leave = () => { timer = setTimeout(() => { flash.hidden = true; }, 6000); };
  const stay = () => clearTimeout(timer);
  for (const name of ["pointerenter", "focusin"]) flash.addEventListener(name, stay);
  for (const name of ["pointerleave", "focusout"]) flash.addEventListener(name, leave);
  flash.addEventListener("click", (event) => { if (!event.target.closest("a")) flash.hidden = true; });
  leave();
}
if (passing.length && !strip.querySelector(".flash--failed, .flash--info")) strip.classList.add("toasts");
