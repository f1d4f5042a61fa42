/** A quantity that was changed in the cart is sent by itself; afterwards the focus is where it was. */
const PLACE = "cart-focus";
const buttonsOf = (form) => [...form.querySelectorAll(".stepper button, .stepper input")];

for (const form of document.querySelectorAll("form[data-submits]")) {
  const field = form.querySelector("[name=quantity]");
  const send = form.querySelector(":scope > button");
  let timer = 0;
  send.hidden = true;
  form.addEventListener("change", () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      const place = buttonsOf(form).indexOf(document.activeElement);
      sessionStorage.setItem(PLACE, JSON.stringify([field.id, place]));
      form.requestSubmit();
    }, 500);
  });
}

const [id, place] = JSON.parse(sessionStorage.getItem(PLACE) ?? "[]");
sessionStorage.removeItem(PLACE);
const form = id && document.getElementById(id)?.form;
if (form) buttonsOf(form)[place]?.focus({ preventScroll: true });
