import { useEffect, useState } from 'react';
import { client } from '../client.ts';

/** A service that runs here. */
export interface Service {
  readonly name: string;
  readonly title: string;
  /** Of its topics, which are followed as `<service>/<topic>/<key>`. */
  readonly topics: readonly string[];
}

let asked: Promise<readonly Service[]> | undefined;

/** Asked for once: they stay as long as the server runs. */
function askForServices(): Promise<readonly Service[]> {
  asked ??= client.send<Service[]>('GET /services.json').then(
    ({ body }) => body,
    () => {
      asked = undefined; // the next page asks again
      return [];
    },
  );
  return asked;
}

/** The services that run here; undefined until that is known. */
export function useServices(): readonly Service[] | undefined {
  const [services, setServices] = useState<readonly Service[]>();
  useEffect(() => void askForServices().then(setServices), []);
  return services;
}
