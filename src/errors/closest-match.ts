/** The known word that a misspelled one most likely stands for; undefined if none is similar. */
export function closestMatch(word: string, known: Iterable<string>): string | undefined {
  let best: { readonly word: string; readonly steps: number } | undefined;
  for (const candidate of known) {
    const steps = editDistance(candidate, word.toLowerCase());
    // If more than a third of the letters differ, it is another word.
    if (steps <= Math.max(1, Math.min(3, Math.floor(word.length / 3))) && (!best || steps < best.steps)) best = { word: candidate, steps };
  }
  return best?.word;
}

/** How many letters must be inserted, deleted, changed or swapped with their neighbor to turn one word into the other. */
function editDistance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, column) => column)];
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const change = rows[i - 1]![j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row.push(Math.min(change, rows[i - 1]![j]! + 1, row[j - 1]! + 1, isSwapped ? rows[i - 2]![j - 2]! + 1 : Infinity));
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}

/** `Did you mean WORD?`; undefined if no known word is close. `render` shows the word, such as with its flag. */
export function suggestMatch(word: string, known: Iterable<string>, render = (match: string) => match): string | undefined {
  const match = closestMatch(word, known);
  return match === undefined ? undefined : `Did you mean ${render(match)}?`;
}
