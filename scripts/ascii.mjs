/**
 * Writes what is no ASCII as escapes, as the program means the same by them: Node reads such a file faster, and keeps it in half the memory. A
 * character behind a backslash would become another one; there is none.
 */
export const ascii = {
  name: "ascii",
  generateBundle(_, bundle) {
    for (const chunk of Object.values(bundle)) {
      if (chunk.type !== "chunk") continue;
      if (/\\[^\0-\x7f]/.test(chunk.code)) throw new Error(`${chunk.fileName} has a character behind a backslash that is no ASCII.`);
      chunk.code = chunk.code.replace(/[^\0-\x7f]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
    }
  },
};
