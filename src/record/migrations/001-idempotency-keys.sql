-- Answers to writes that clients named with an Idempotency-Key: a repeated request gets the first one's answer.
create table lockstep.idempotency_keys (
  -- Whose key and for what: two users may choose the same one.
  scope       text not null,
  key         text not null,
  -- SHA-256 of the request, so that a key used for another request is noticed.
  fingerprint bytea not null,
  -- Null only inside the transaction that does the work.
  response    json,
  created_at  timestamptz not null default now(),
  primary key (scope, key)
);

create index idempotency_keys_by_age on lockstep.idempotency_keys (created_at);
