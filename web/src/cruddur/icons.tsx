const PATHS = {
  home: 'M4 11.5 12 4.5l8 7M6.5 9.5V19.5h11V9.5',
  search: 'M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13M15.5 15.5 20 20',
  bell: 'M6 16.5V11a6 6 0 0 1 12 0v5.5l1.5 1.5h-15zM10 20.5h4',
  mail: 'M4 6.5h16v11H4zM4.5 7l7.5 6 7.5-6',
  person: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8M4.5 20c.8-3.6 3.8-5.5 7.5-5.500s6.7 1.9 7.5 5.5',
  reply: 'M20 12a7.5 7 0 0 1-11 6.200L4.5 19.500l1.3-4A7.5 7 0 1 1 20 12',
  like: 'M12 19.500S4.5 15 4.5 9.800C4.5 6 9.5 4.5 12 8.2 14.5 4.5 19.5 6 19.5 9.8 19.5 15 12 19.5 12 19.5',
  repost: 'M4 9.5l3-3 3 3M7 6.5v8a3 3 0 0 0 3 3h3M20 14.5l-3 3-3-3M17 17.5v-8a3 3 0 0 0-3-3h-3',
  clock: 'M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16M12 7.500V12l3 2',
  back: 'M14.5 5.5 8 12l6.5 6.5',
} as const;

export function Icon({ name }: { name: keyof typeof PATHS }) {
  return (
    <svg className="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
