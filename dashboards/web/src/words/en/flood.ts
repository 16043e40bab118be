/** English words of floods. */
export const flood = {
  banner: "Alarm flood since {time}: {n} alarm. First: {first} | Alarm flood since {time}: {n} alarms. First: {first}",
  fold: "{unit}: {n} alarm | {unit}: {n} alarms",
};
