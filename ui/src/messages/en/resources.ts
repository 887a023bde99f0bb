// Resources: what they are called, their tabs and actions, and fields. Every file of the folder beside this one holds a
// theme's words, by section (`plural`, `singular`, `tabs`, `actions`, `warnings`, `fields`); here they become one.

type Words = Record<string, string>;

const themes = import.meta.glob<Record<string, Words>>("./resources/*.ts", {
  eager: true,
  import: "default",
});
const joined: Record<string, Words> = {};
for (const [path, sections] of Object.entries(themes)) {
  for (const [section, words] of Object.entries(sections)) {
    const known = (joined[section] ??= {});
    for (const [name, text] of Object.entries(words)) {
      if (name in known) {
        throw new Error(`${path}: ${section}.${name} is said in another theme already`);
      }
      known[name] = text;
    }
  }
}

export default joined;
