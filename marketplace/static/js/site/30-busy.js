/** A pressed button says that it is sending. It stays enabled: a repeated press is harmless, thanks to the form's key. */
document.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (!button?.dataset.waiting || event.defaultPrevented) return;
  const words = [...button.childNodes];
  button.setAttribute("aria-busy", "true");
  button.style.minWidth = `${button.offsetWidth}px`;
  button.textContent = button.dataset.waiting;
  addEventListener("pageshow", () => {
    button.removeAttribute("aria-busy");
    button.replaceChildren(...words);
  }, { once: true });
});
