/** Settings of the taxi service: `services: { taxi: { ... } }` in `lockstep.config.ts`. */
export interface Settings {
  /** The three GET calls, open to everybody as a kiosk's are. */
  readonly kiosk: boolean;
  /** Kiosk calls a second for each address; this machine itself is spared. */
  readonly kioskPerSecond: number;
}

export const DEFAULTS: Settings = { kiosk: true, kioskPerSecond: 50 };

/** The defaults with what the configuration sets; throws an error for the operator where that makes no sense. */
export function readSettings(given: Readonly<Record<string, unknown>> = {}): Settings {
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(DEFAULTS, name)) {
      throw new Error(
        `services.taxi.${name}: there is no such setting; there are ${Object.keys(DEFAULTS).join(', ')}.`,
      );
    }
    const expected = typeof DEFAULTS[name as keyof Settings];
    if (typeof value !== expected)
      throw new Error(`services.taxi.${name} is ${JSON.stringify(value)}: expected a ${expected}.`);
  }
  const settings = { ...DEFAULTS, ...given } as Settings;
  if (settings.kioskPerSecond < 1) throw new Error('services.taxi.kioskPerSecond must be 1 or more.');
  return settings;
}
