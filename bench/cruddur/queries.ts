/** What the views answer, as anybody would write it in SQL, with the indexes there are. */

export const HOME = `
  select its.uuid, display_name, handle, message, replies_count, reposts_count, likes_count, expires_at, its.created_at
    from cruddur.activities its join cruddur.users using (user_id)
   where reply_to is null and expires_at > now() order by activity_id desc limit 20`;

export const GROUPS = `
  select own.message_group_uuid as uuid, other.display_name, other.handle, last.message, last.created_at,
         (select count(*) from cruddur.messages sent where sent.message_group_uuid = own.message_group_uuid
            and sent.user_id <> $1 and sent.message_id > coalesce(own.read_id, 0))::int as unread_count
    from cruddur.message_group_members own
    join cruddur.message_group_members peer on peer.message_group_uuid = own.message_group_uuid and peer.user_id <> $1
    join cruddur.users other on other.user_id = peer.user_id
    join lateral (select message_id, message, created_at from cruddur.messages sent
                   where sent.message_group_uuid = own.message_group_uuid order by message_id desc limit 1) last on true
   where own.user_id = $1 order by last.message_id desc limit 20`;

export const POST = `
  insert into cruddur.activities (user_id, message, expires_at) values ($1, $2, now() + interval '7 days')
  returning uuid, message, created_at, expires_at`;

export const SEND = `
  insert into cruddur.messages (message_group_uuid, user_id, message)
  select $2, $1, $3 where exists (
    select from cruddur.message_group_members where message_group_uuid = $2 and user_id = $1)
  returning uuid, message, created_at`;
