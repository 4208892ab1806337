/** Where the token is given: a cookie that no script can read stands for it from then on. */
import { logIn, refresh, type RequestError } from './server.ts';
import { Name } from './text.tsx';
import { h, type JSX } from './vendor/preact.js';
import { useEffect, useRef, useState } from './vendor/hooks.js';

export function Login(): JSX.Element {
  const token = useRef<HTMLInputElement>(null);
  const [wrong, setWrong] = useState('');
  useEffect(() => token.current!.focus(), []);
  const send = async (event: Event): Promise<void> => {
    event.preventDefault();
    try {
      await logIn(token.current!.value);
      refresh();
    } catch (error) {
      setWrong((error as RequestError).message);
      token.current!.select();
    }
  };
  return (
    <form class="login card" onSubmit={(event) => void send(event)}>
      <h1>minq</h1>
      <label>
        <span>Token</span>
        <input ref={token} type="password" name="token" autocomplete="current-password" required />
      </label>
      {wrong !== '' && (
        <p class="error" role="alert">
          <Name text={wrong} most={300} />
        </p>
      )}
      <button class="primary" type="submit">
        Log in
      </button>
      <small>The option token of the dashboard, or MINQ_DASHBOARD_TOKEN.</small>
    </form>
  );
}
