// Texts of payloads in parts that are coloured by what they are: JSON (indented), XML (indented), or plain.

export type Look = "plain" | "name" | "text" | "number" | "word" | "mark" | "secret";

export interface Part {
  look: Look;
  text: string;
}

const MASKED = "********";
const JSON_PARTS = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(?:true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const XML_PARTS = /<!--[\s\S]*?-->|<\/?[\w:.-]+|\/?>|([\w:.-]+)(=)("[^"]*"|'[^']*')/g;

/** A payload with line breaks and indentation, where it is whole: a JSON text that was cut off stays as it came. */
export function pretty(payload: string, format: string): string {
  if (format === "json") {
    try {
      return JSON.stringify(JSON.parse(payload), null, 2);
    } catch {
      return payload;
    }
  }
  return format === "xml" && !payload.trim().includes("\n") ? indentXml(payload) : payload;
}

function indentXml(xml: string): string {
  let depth = 0;
  return xml
    .replace(/>\s*</g, ">\n<")
    .split("\n")
    .map((line) => {
      if (line.startsWith("</")) depth = Math.max(0, depth - 1);
      const indented = "  ".repeat(depth) + line;
      if (/^<[^!?/][^>]*[^/]>$/.test(line) || /^<\w>$/.test(line)) depth += 1;
      return indented;
    })
    .join("\n");
}

/** The parts of a text in its order; all of them together are the text. */
export function highlight(text: string, format: string): Part[] {
  if (format === "json") return json(text);
  if (format === "xml") return xml(text);
  return [{ look: "plain", text }];
}

function json(text: string): Part[] {
  return split(text, JSON_PARTS, (match) => {
    const [whole, quoted, colon] = match;
    if (quoted !== undefined && colon !== undefined) {
      return [
        { look: "name", text: quoted },
        { look: "plain", text: colon },
      ];
    }
    if (quoted !== undefined) return [{ look: quoted.includes(MASKED) ? "secret" : "text", text: quoted }];
    return [{ look: /^[tfn]/.test(whole) ? "word" : "number", text: whole }];
  });
}

function xml(text: string): Part[] {
  return split(text, XML_PARTS, (match) => {
    const [whole, attribute, equals, value] = match;
    if (attribute !== undefined && equals !== undefined && value !== undefined) {
      return [
        { look: "name", text: attribute },
        { look: "plain", text: equals },
        { look: value.includes(MASKED) ? "secret" : "text", text: value },
      ];
    }
    return [{ look: whole.startsWith("<!--") ? "plain" : "mark", text: whole }];
  });
}

function split(text: string, pattern: RegExp, parts: (match: RegExpMatchArray) => Part[]): Part[] {
  const found: Part[] = [];
  let done = 0;
  for (const match of text.matchAll(pattern)) {
    if (match.index > done) found.push({ look: "plain", text: text.slice(done, match.index) });
    found.push(...parts(match));
    done = match.index + match[0].length;
  }
  if (done < text.length) found.push({ look: "plain", text: text.slice(done) });
  return found;
}
