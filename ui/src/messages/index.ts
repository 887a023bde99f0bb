// The texts of the app, by language. Every file of a language's folder holds one part's, under that part's name; a folder
// in it holds a part that has parts. (Those of resources are themes, which `resources.ts` joins.)

import { createI18n, type I18n, type I18nOptions } from "vue-i18n";

type Catalogue = Record<string, unknown>;

const parts = import.meta.glob<{ default: Catalogue }>(["./en/*.ts", "./en/*/*.ts", "!./en/resources/*.ts"], {
  eager: true,
});
const en: Record<string, Catalogue> = {};
for (const [path, part] of Object.entries(parts)) {
  const [name = "", within] = path.replace(/^\.\/en\/|\.ts$/g, "").split("/");
  en[name] = within === undefined ? part.default : { ...en[name], [within]: part.default };
}

// the catalogues are as deep as their parts like, which is more than the library's types can follow
const options = { legacy: false, locale: "en", fallbackLocale: "en", messages: { en } } as const;
export const messages: I18n = createI18n(options as unknown as I18nOptions) as unknown as I18n;

/** A text outside of components. */
export function t(key: string, named: Record<string, unknown> = {}): string {
  return (messages.global.t as unknown as (key: string, named: Record<string, unknown>) => string)(
    key,
    named,
  );
}
