import { useSyncExternalStore } from 'react';
import { chooseTheme, currentTheme, onThemeChange } from './theme.ts';

export function ThemeToggle() {
  const theme = useSyncExternalStore(onThemeChange, currentTheme);
  const toggle = () => chooseTheme(theme === 'dark' ? 'light' : 'dark');
  return (
    <button
      type="button"
      className="icon-button"
      aria-pressed={theme === 'dark'}
      aria-label="Dark theme"
      onClick={toggle}
    >
      <svg viewBox="0 0 24 24" aria-hidden="true" focusable="false">
        {theme === 'dark' ? (
          <path d="M20 14.5A8 8 0 0 1 9.5 4a8 8 0 1 0 10.5 10.5Z" />
        ) : (
          <>
            <circle cx="12" cy="12" r="4" />
            <path d="M12 3v2M12 19v2M3 12h2M19 12h2M5.6 5.6 7 7M17 17l1.4 1.4M18.4 5.6 17 7M7 17l-1.4 1.4" />
          </>
        )}
      </svg>
    </button>
  );
}
