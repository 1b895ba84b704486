import type { Command } from 'commander';
import { type Account, type IdentityServer, REFRESH_SECONDS } from '../../identity/identity.ts';
import { plural } from '../format.ts';
import type { CommandContext } from '../program.ts';
import { RecordSession } from '../record-session.ts';
import { table } from '../table.ts';

export function addUsers(program: Command, context: CommandContext): void {
  const users = program.command('users').description('list the accounts, give and take their roles');
  users
    .command('list')
    .description('list the accounts by name')
    .action(() => withIdentity(context, async (identity) => printAll(await all(identity), context)));
  users
    .command('grant')
    .description('give a role, such as admin')
    .argument('<name>', 'the user')
    .argument('<role>', 'the role')
    .action((name: string, role: string) =>
      withIdentity(context, async (identity) => {
        context.out.print(
          await identity.grant(name, role),
          `${name} has the role ${role} from the next login or refresh on`,
        );
        const known = rolesOf(context);
        if (!known.includes(role))
          context.out.note(`no service declares the role ${role}; there are ${known.join(', ')}`);
      }),
    );
  users
    .command('revoke')
    .description('take a role away, and end the tokens that carry it')
    .argument('<name>', 'the user')
    .argument('<role>', 'the role')
    .action((name: string, role: string) =>
      withIdentity(context, async (identity) =>
        context.out.print(
          await identity.revoke(name, role),
          `${name} no longer has the role ${role}; tokens from before end within ${REFRESH_SECONDS} s`,
        ),
      ),
    );
}

/** What the console asks for, and the services. */
function rolesOf({ services }: CommandContext): readonly string[] {
  return [...new Set(['admin', ...services.flatMap(({ roles = [] }) => roles)])];
}

async function withIdentity(context: CommandContext, work: (identity: IdentityServer) => Promise<void>): Promise<void> {
  const session = context.opened.use(new RecordSession(context));
  await work(await session.identity());
}

/** Page by page. */
async function all(identity: IdentityServer): Promise<Account[]> {
  const accounts: Account[] = [];
  for (;;) {
    const after = accounts.at(-1)?.username;
    const page = await identity.listUsers(after === undefined ? {} : { after });
    if (page.length === 0) return accounts;
    accounts.push(...page);
  }
}

function printAll(accounts: readonly Account[], { out }: CommandContext): void {
  const rows = accounts.map(({ createdAt, ...account }) => ({
    ...account,
    created: new Date(createdAt / 1000).toISOString(),
  }));
  const text = table(rows, [
    { heading: 'name', of: (row) => row.username },
    { heading: 'e-mail', of: (row) => row.email ?? '-' },
    { heading: 'confirmed', of: (row) => (row.emailVerified ? 'yes' : 'no') },
    { heading: 'roles', of: (row) => row.roles.join(', ') || '-' },
    { heading: 'since', of: (row) => row.created.slice(0, 19).replace('T', ' ') },
  ]);
  out.print(rows, rows.length === 0 ? 'no accounts' : `${text}\n\n${plural(rows.length, 'account')}`);
}
