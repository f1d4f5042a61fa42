/** Step 2 of listing: what the pack costs for 500 g, while it is typed. The server reads the pack by itself. */
const GRAMS = { kg: 1000, 公斤: 1000, 千克: 1000, 斤: 500, 两: 50, g: 1, 克: 1 };
const PACK = /^(?:\d+个装?约)?(\d+(?:\.\d+)?)\s*(kg|公斤|千克|斤|两|g|克)(?:\s*[×x*]\s*(\d+))?\D*$/i;
const told = document.querySelector("[data-per]");

if (told) {
  const field = (name) => document.querySelector(`[name=${name}]`);
  const note = document.createElement("p");
  note.className = "field__note";
  note.setAttribute("role", "status");
  told.append(note);
  const update = () => {
    const found = PACK.exec(field("unit").value.normalize("NFKC").trim());
    const grams = found ? found[1] * GRAMS[found[2].toLowerCase()] * (found[3] ?? 1) : Number(field("weight").value);
    const yuan = Number(field("price").value.normalize("NFKC").replace(/[¥,元\s]/g, ""));
    note.textContent = grams > 0 && yuan > 0 ? told.dataset.per.replace("{price}", `¥${((yuan * 500) / grams).toFixed(2)}`) : "";
  };
  for (const name of ["unit", "price", "weight"]) field(name).addEventListener("input", update);
  update();
}
