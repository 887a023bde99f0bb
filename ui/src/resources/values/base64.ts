// Texts in base64, as UTF-8.

export function toBase64(text: string): string {
  let bytes = "";
  for (const byte of new TextEncoder().encode(text)) {
    bytes += String.fromCharCode(byte);
  }
  return btoa(bytes);
}

/** The text; what is no base64, or no text, as it came. */
export function fromBase64(text: string): string {
  try {
    const bytes = Uint8Array.from(atob(text), (each) => each.charCodeAt(0));
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return text;
  }
}
