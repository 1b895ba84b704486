import type { IdentityConfig } from '../identity/open.ts';
import type { Config } from './config.ts';

/** What the accounts need of the configuration. `url` is where the server is reached, unless the configuration says. */
export function identityConfig(config: Config, url = `http://localhost:${config.port}`): IdentityConfig {
  const { publicUrl, issuer, audience, smtpUrl, secret } = config;
  return {
    issuerUrl: publicUrl ?? url,
    ...(issuer ? { externalIssuer: issuer } : {}),
    ...(audience ? { audience } : {}),
    ...(smtpUrl ? { smtpUrl } : {}),
    ...(secret ? { secret } : {}),
  };
}
