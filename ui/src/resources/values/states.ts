// Which states are good, bad or on their way: the colour beside the word.

export type Mood = "success" | "processing" | "error" | "warning" | "default";

const MOODS: Record<Exclude<Mood, "default">, RegExp> = {
  success:
    /^(running|ready|enabled|up|allocated|implemented|active|backedup|connected|download complete|bootable|primary|master|info|completed|valid|assigned|(successfully )?installed|managed|on|available|bypassed|created|success|uploaded|access|recovered)$/i,
  processing:
    /ing$|^(pending|in progress|scheduled|started|shutdown|uploadop|copying|setup|initializing|warm|uploadnotstarted)$/i,
  error:
    /error|fail|^(down|alert|disconnected|expunged|destroyed|removed|fault|disabled|locked|off|isolated|degraded|fenced)$/i,
  warning:
    /^(warn|warning|maintenance|suspended|rebalancing|backup|unknown|errorinmaintenance|disable|stop|suspect|ineligible)$/i,
};

/** A state's word as it is shown: some of the API's begin with a small letter. */
export function stateWord(state: string): string {
  return state.charAt(0).toUpperCase() + state.slice(1);
}

/** The mood of a state as the API writes it. Stopped and everything that is not known is neither good nor bad. */
export function moodOf(state: string): Mood {
  const text = state.trim();
  for (const mood of ["success", "error", "warning", "processing"] as const) {
    if (MOODS[mood].test(text)) {
      return mood;
    }
  }
  return "default";
}
