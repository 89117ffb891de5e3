/** Printed instructions for a custodian: pure. */
import { createHash } from "node:crypto";
import { hasSecurityKeys } from "../../../components/regional/partition";
import { type Content, type Html, html } from "../../shared/html/html";
import { factsOf } from "./facts";
import type { RunbookInput } from "./input";
import { paperPage } from "./page";
import { whole, wholeAddress } from "./whole";

/** The encrypted password that is printed along. */
export interface Ciphertext {
  /** The file's name, without folders. */
  fileName: string;
  /** The PGP message, ASCII-armoured, byte by byte as in the file. */
  text: string;
}

/** What one custodian's instructions are made of. Nothing secret: the ciphertext is for the custodian's key alone. */
export interface InstructionsInput {
  runbook: RunbookInput;
  /** The emergency user whose password the custodian keeps. */
  userName: string;
  custodian: string;
  /** Fingerprint of the custodian's PGP key, in upper-case hex. */
  keyFingerprint: string;
  ciphertext: Ciphertext | undefined;
}

/** The instructions as one HTML file made for paper: no colour is needed, nothing is loaded. */
export function instructionsPage(input: InstructionsInput): string {
  const { runbook, userName } = input;
  const title = `Emergency access: instructions for ${userName}`;
  const facts = factsOf(runbook);
  const parts = [
    head(input),
    atHand(input),
    theDay(input, facts),
    lost(input),
    never(),
    ciphertextPart(input),
  ];
  return paperPage(title, html`${parts}`.text);
}

type Facts = ReturnType<typeof factsOf>;

function head({ runbook, userName, custodian }: InstructionsInput): Html {
  return html`<h1>Emergency access: what the custodian does</h1>
<p class="lead">You, <strong>${custodian}</strong>, keep the password of the emergency user <strong class="value">${whole(userName)}</strong> of AWS account
<strong class="value">${runbook.accountId}</strong>. It is used when nobody can sign in to AWS in the usual way. Nobody but you can open it; without you, or the
other custodian, nobody gets in.</p>
<p class="soft">Printed from what was made on ${runbook.generatedAt.slice(0, 10)}. Replace this print after each new password.</p>
`;
}

function atHand({ keyFingerprint, ciphertext, userName }: InstructionsInput): Html {
  const file = ciphertext?.fileName ?? `${userName}.pgp.asc`;
  return html`<h2>What you keep, and where</h2>
<table class="keep">
<tbody>
<tr><th>The encrypted password</th><td>The file <code>${whole(file)}</code> on an encrypted drive, and this print. It is no secret by itself, but keep it from others.</td><td>Kept at:<br><span class="line"></span></td></tr>
<tr><th>Your key</th><td>Your PGP key, on a token or a drive of your own, and its passphrase, in your head or apart from it. Its fingerprint:<br><code>${grouped(keyFingerprint)}</code></td><td>Kept at:<br><span class="line"></span></td></tr>
<tr><th>A device for codes</th><td>A TOTP device of the user ${whole(userName)}: a hardware token or a phone that is used for nothing else. Every team member who may sign in has one of their own.</td><td>Number:<br><span class="line"></span></td></tr>
<tr><th>The other custodians</th><td>Names and telephone numbers.</td><td><span class="line"></span><br><span class="line"></span><br><span class="line"></span></td></tr>
<tr><th>Who may declare an emergency</th><td>Names and telephone numbers.</td><td><span class="line"></span><br><span class="line"></span></td></tr>
</tbody>
</table>
<p>Keep password, key and device at different places. Whoever has all three is an administrator of the account.</p>
`;
}

function theDay({ userName, runbook, ciphertext }: InstructionsInput, { cells }: Facts): Html {
  const file = ciphertext?.fileName ?? `${userName}.pgp.asc`;
  const sum = ciphertext && sha256(ciphertext.text);
  return html`<h2>When you are called</h2>
<ol class="steps">
<li><strong>Make sure who is calling.</strong> Call back at the number that you wrote down above. Two people have to tell you that it is an emergency.</li>
<li><strong>Take a machine that you trust,</strong> not connected to a network if you have one, with <code>gpg</code> on it.</li>
<li><strong>Check that the file is whole:</strong>
<pre>sha256sum ${whole(file)}</pre>
${sum === undefined ? html`<p>It has to say what stands in the file <code>SHA256SUMS</code> beside it.</p>` : html`<p>It has to say:</p><pre>${sum}</pre>`}</li>
<li><strong>Open it,</strong> with your key plugged in:
<pre>gpg --decrypt ${whole(file)}</pre>
<p>It asks for your passphrase and shows the password. Leave it on the screen; save it nowhere.</p></li>
<li><strong>Sign in,</strong> or let your partner type while you read it to them. First of these addresses that shows a page:
<table><tbody>${cells.map(
    ({ region, signInUrl }, index) =>
      html`<tr><th>${index + 1}</th><td><code class="address">${wholeAddress(signInUrl)}</code><br><span class="soft">through ${region}</span></td></tr>`,
  )}</tbody></table>
<table><tbody><tr><th>Account</th><td class="value">${runbook.accountId}</td></tr><tr><th>User name</th><td class="value">${whole(userName)}</td></tr><tr><th>Password</th><td>what gpg shows</td></tr><tr><th>Code</th><td>six digits from the TOTP device${hasSecurityKeys(runbook.partition) ? "; not the security key" : ""}</td></tr></tbody></table></li>
<li><strong>Everybody is told.</strong> Within seconds alerts go out that ${whole(userName)} was used. That is meant to be so.</li>
<li><strong>Stay until they have signed out.</strong> Then close the terminal, and take your key with you.</li>
<li><strong>Expect a new password</strong> within a day. You get a new file; destroy this one, and this print.</li>
</ol>
`;
}

function lost({ userName }: InstructionsInput): Html {
  return html`<h2>When something is lost</h2>
<table>
<tbody>
<tr><th>The device for codes</th><td>Call the operators. On the day: another team member's device of ${whole(userName)} works as well, or the other user. They remove the lost one and enrol a new one with you.</td></tr>
<tr><th>The key, or its passphrase</th><td>Call at once. Nobody can open the password any more, you neither: they make a new one for a new key. Until then the other user is the only one.</td></tr>
<tr><th>The file</th><td>It is no secret. They fetch it again: <code>${whole(`bulkhead break-glass password --user ${userName}`)}</code></td></tr>
<tr><th>Key and file, or a device with them</th><td>Call at once, day or night. They change the password and remove the devices.</td></tr>
<tr><th>The address does not load</th><td>The next address; another network; a telephone's hotspot.</td></tr>
<tr><th>The password is refused</th><td>Type it by hand. If a new password was made since, take the newer file.</td></tr>
<tr><th>The code is refused</th><td>Wait for the next one. The clock of the device has to be right.</td></tr>
<tr><th>You leave, or go away for long</th><td>Say so beforehand. One command gives all that you hold to your successor.</td></tr>
</tbody>
</table>
`;
}

function never(): Html {
  return html`<div class="box">
<h2 style="border:0;padding:0;margin:0 0 .5rem">Never</h2>
<ul>
<li>Never type the password anywhere but at the addresses above: not into a chat, a mail, a ticket, a form that asks to "verify" it.</li>
<li>Never print, photograph or write down the open password.</li>
<li>Never give your key or its passphrase to anybody, the operators and your superiors included.</li>
<li>Never open the password to see whether it works. The drill, every three months, does that.</li>
<li>Never go along with an emergency that only one person tells you of.</li>
</ul>
</div>
`;
}

function ciphertextPart({ ciphertext, userName }: InstructionsInput): Content {
  if (!ciphertext) return "";
  return html`<section class="page"><h2>The encrypted password of ${whole(userName)}</h2>
<p>If the file is lost, type this in or scan it, save it as <code>${whole(ciphertext.fileName)}</code>, and check it with the sum above. Only your key opens it.</p>
<pre class="letter" style="break-before:auto">${ciphertext.text}</pre></section>
`;
}

/** SHA-256 of a text's bytes, in hex, as sha256sum prints it. */
function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** A fingerprint in groups of four, as gpg shows it. */
function grouped(fingerprint: string): string {
  return fingerprint.replace(/(.{4})(?=.)/g, "$1 ");
}
