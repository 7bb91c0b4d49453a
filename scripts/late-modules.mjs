/** A module of Node's own, or a library that few runs need, as the bundler has a CommonJS file take it; commander has one by a name of its own. */
const TAKEN = /^(?<indent>\s*)(?:let|const) (?<name>node_\w+|childProcess|require_(?:cel|valibot)) = require\((?<id>"[^"]+"|'[^']+')\);$/gm;

/**
 * Has such a module loaded when something of it is first used, and not with the file that may use it. What a module's outermost level uses is
 * used at once.
 */
export const lateModules = {
  name: "late-modules",
  renderChunk(code) {
    let changed = code;
    for (const { 0: line, groups } of code.matchAll(TAKEN)) {
      const { indent, name, id } = groups;
      const use = new RegExp(`(?<![\\w$]|(?<!\\.\\.)\\.)${name}(?![\\w$])(\\.)?`, "g");
      const uses = [...code.replace(line, "").matchAll(use)];
      // Taken as a whole, it may be anything that is done with it.
      if (!uses.every(([, dot]) => dot)) continue;
      const late = `${indent}const ${name} = { get module() { return (this.loaded ??= require(${id})); } };`;
      changed = changed.replace(use, (found, dot) => (dot ? `${name}.module.` : found)).replace(line, late);
    }
    return changed;
  },
};
