import { createTransport } from 'nodemailer';

export interface ConfirmationMail {
  readonly to: string;
  readonly username: string;
  readonly code: string;
}

export interface MailerOptions {
  /** `smtp://` or `smtps://`, with user and password. */
  readonly smtpUrl: string;
  /** The sender's address. */
  readonly from: string;
  /** Where the code is to be sent to. */
  readonly confirmUrl: string;
  /** Days the code is good for. */
  readonly days: number;
}

export interface Mailer {
  /** Rejects when the mail server did not take it. */
  sendConfirmation(mail: ConfirmationMail): Promise<void>;
  close(): void;
}

/** The mails' sender: `?from=` of the SMTP URL, or its user where that is an address, or `lockstep@<host of the issuer>`. */
export function senderOf(smtpUrl: string, issuer: string): string {
  const { searchParams, username } = new URL(smtpUrl);
  const user = decodeURIComponent(username);
  return searchParams.get('from') ?? (user.includes('@') ? user : `lockstep@${new URL(issuer).hostname}`);
}

const TIMEOUT_MS = 10_000;

/** Sends through one SMTP server, over at most two connections at a time. */
export function createMailer({ smtpUrl, from, confirmUrl, days }: MailerOptions): Mailer {
  const transport = createTransport({
    url: smtpUrl,
    pool: true,
    maxConnections: 2,
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
  });
  return {
    async sendConfirmation({ to, username, code }) {
      await transport.sendMail({
        from,
        to: { name: '', address: to },
        subject: `${code} is your confirmation code`,
        text: [
          `Hello ${username},`,
          '',
          `your confirmation code is ${code}. It is good for ${days === 1 ? 'one day' : `${days} days`}, once.`,
          `Enter it where you signed up, or send {"username", "code"} to ${confirmUrl}.`,
          '',
          'If you did not sign up, ignore this mail: the account stays closed and is deleted.',
          '',
        ].join('\n'),
      });
    },
    close: () => transport.close(),
  };
}
