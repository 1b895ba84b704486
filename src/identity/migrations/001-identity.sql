create table lockstep.users (
  id uuid primary key default gen_random_uuid(),
  username text not null,
  -- What makes a name unique: normalised, in lower case.
  username_key text not null unique,
  email text not null,
  email_key text not null,
  email_verified boolean not null default false,
  -- Signed up while addresses had to be confirmed, and has not yet: no login.
  must_confirm boolean not null,
  password_hash text not null,
  roles text[] not null default '{}',
  -- Tokens carry it; those with a lower one have ended.
  generation integer not null default 0,
  generation_at timestamptz,
  created_at timestamptz not null
);
-- An address nobody has confirmed blocks nobody.
create unique index users_confirmed_email on lockstep.users (email_key) where email_verified;
create index users_generation_at on lockstep.users (generation_at) where generation_at is not null;
create index users_unconfirmed on lockstep.users (created_at) where must_confirm;

-- One row a login, whatever number of refreshes: only the newest refresh token's hash is kept, and any other ends the session.
create table lockstep.sessions (
  id uuid primary key,
  user_id uuid not null references lockstep.users on delete cascade,
  secret_hash bytea not null,
  auth_time timestamptz not null,
  expires_at timestamptz not null
);
create index sessions_user on lockstep.sessions (user_id, auth_time);
create index sessions_expiry on lockstep.sessions (expires_at);

create table lockstep.confirmations (
  user_id uuid primary key references lockstep.users on delete cascade,
  code_hash bytea not null,
  attempts integer not null default 0,
  expires_at timestamptz not null
);

create table lockstep.signing_keys (
  kid text primary key,
  -- PKCS #8 DER; encrypted when LOCKSTEP_SECRET is set.
  private_key bytea not null,
  sealed boolean not null,
  -- Published from its creation on, used for signing from here on.
  active_from timestamptz not null
);
revoke all on lockstep.users, lockstep.sessions, lockstep.confirmations, lockstep.signing_keys from public;
