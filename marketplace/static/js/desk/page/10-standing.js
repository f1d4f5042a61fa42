const stepOf = (steps, name) => steps.find((step) => step.name === name);

/** Where a parcel stands: as the list says, and as far as this phone has brought it since. What holds no place has no part in it. */
const standing = (parcel, acts, steps) => {
  const now = { ...parcel };
  const mine = acts.filter((act) => act.parcel === parcel.id && act.place).sort((one, other) => one.after - other.after);
  for (const act of mine) {
    if (act.after !== now.steps) continue;
    now.state = stepOf(steps, act.step).there;
    now.steps += 1;
    if (act.entered.shelf) now.shelf = act.entered.shelf;
    if (now.state === "shipped") now.by = ""; // it has left; by when it arrives says the next list
  }
  return now;
};

/** The steps that a parcel can take next, the usual one first. */
const nextSteps = (parcel, steps) => steps
  .filter((step) => step.here === parcel.state && (!step.delivery || step.delivery === parcel.delivery));
