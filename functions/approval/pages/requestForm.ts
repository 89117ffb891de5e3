/** The form that opens a request by hand. It is made from the catalogue, so it asks for exactly what the call takes. */
import { type Html, html } from "../../shared/html/html";
import type { OperationDefinition, ParameterDefinition } from "../operations/definition";
import { flag, type Place } from "../operations/values";
import { type PageContext, page } from "./layout";
import { titleIn } from "./names";
import { type Say, sayIn } from "./words";

/** A page on which an operation is chosen. */
export function chooseOperationPage(context: PageContext, operations: readonly OperationDefinition[]): Html {
  const say = sayIn(context.language);
  return page(context, {
    title: say("newTitle"),
    lead: say("newLead"),
    body: html`<section class="decide" aria-labelledby="h-choose"><h2 id="h-choose">${say("formOperation")}</h2>
<form class="decision" method="get" action="new"><input type="hidden" name="lang" value="${context.language}">
<div class="field"><label for="operation">${say("operation")}</label>
<select id="operation" name="operation">${operations.map(
      (operation) =>
        html`<option value="${operationKey(operation)}">${titleIn(context.language, operation.title)} (${operation.service}:${operation.api})</option>
`,
    )}</select></div>
<button type="submit">${say("formNext")}</button></form></section>`,
  });
}

/** How forms name an operation: the SDK's client and API, which are one operation each. */
export function operationKey({ service, api }: Pick<OperationDefinition, "service" | "api">): string {
  return `${service}:${api}`;
}

/** A form to be filled in. */
export interface RequestForm {
  readonly definition: OperationDefinition;
  /** Where it is sent, relative: `new` or `form`. */
  readonly action: string;
  readonly hidden: Readonly<Record<string, string>>;
  /** Account and region; fixed when the denied call said them. */
  readonly account: string;
  readonly region: string;
  readonly placeIsFixed: boolean;
  /** What was typed, by the names of {@link fieldName}. */
  readonly typed: Readonly<Record<string, string>>;
  readonly reason: string;
  readonly asksCode: boolean;
  readonly problem?: { readonly field: string; readonly text: string };
}

/** The name of a parameter's field. */
export function fieldName({ input }: Pick<ParameterDefinition, "input">): string {
  return `parameter.${input}`;
}

export function requestFormPage(context: PageContext, form: RequestForm): Html {
  const say = sayIn(context.language);
  const { definition, action, hidden, placeIsFixed, problem } = form;
  const field = (
    id: string,
    label: string,
    control: Html,
    hint?: string,
  ) => html`<div class="field"><label for="${id}">${label}</label>
${hint !== undefined && html`<span class="hint" id="${id}-hint">${hint}</span>`}${problem?.field === id && html`<span class="error" id="${id}-error">${problem.text}</span>`}${control}</div>
`;
  const about = (id: string, hasHint = true) => {
    const ids = [hasHint && `${id}-hint`, problem?.field === id && `${id}-error`].filter(Boolean).join(" ");
    return html`${ids !== "" && html` aria-describedby="${ids}"`}${problem?.field === id && html` aria-invalid="true"`}`;
  };
  const line = (id: string, value: string, hasHint = true) =>
    html`<input type="text" id="${id}" name="${id}" value="${value}" spellcheck="false" autocapitalize="none"${about(id, hasHint)}>`;
  const place = placeIsFixed
    ? html`<dl class="facts"><dt>${say("account")}</dt><dd>${form.account}</dd><dt>${say("region")}</dt><dd>${form.region}</dd></dl>`
    : html`${field("account", say("formAccount"), line("account", form.account, false))}
${field("region", say("formRegion"), line("region", form.region, false))}`;
  return page(context, {
    title: `${problem ? `${say("problemTitle")}: ` : ""}${say(placeIsFixed ? "formTitle" : "newTitle")}`,
    lead: say(placeIsFixed ? "formLead" : "newLead"),
    body: html`${
      problem &&
      html`<section class="problems" role="alert" aria-labelledby="h-problems"><h2 id="h-problems">${say("problemTitle")}</h2><ul><li><a href="#${problem.field}">${problem.text}</a></li></ul></section>`
    }
<section class="decide" aria-labelledby="h-form"><h2 id="h-form">${titleIn(context.language, definition.title)}</h2>
<p><code>${operationKey(definition)}</code>${!placeIsFixed && html` · <a href="new?lang=${context.language}">${say("formChange")}</a>`}</p>
<form class="decision" method="post" action="${action}" autocomplete="off">
${Object.entries(hidden).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}
${place}
${definition.parameters.map((parameter) => parameterField(parameter, form, say, { field, about, line }))}
${field(
  "reason",
  say("formReason"),
  html`<textarea id="reason" name="reason" maxlength="1000" rows="3"${about("reason")}>
${form.reason}</textarea>`,
  say("formReasonHint"),
)}
${
  form.asksCode &&
  field(
    "code",
    say("code"),
    html`<input class="code" type="text" id="code" name="code" inputmode="numeric" autocomplete="one-time-code" maxlength="16"${about("code")}>`,
    say("codeHint"),
  )
}
<button type="submit">${say("formOpen")}</button></form></section>`,
  });
}

interface Fields {
  readonly field: (id: string, label: string, control: Html, hint?: string) => Html;
  readonly about: (id: string, hasHint?: boolean) => Html;
  readonly line: (id: string, value: string, hasHint?: boolean) => Html;
}

function parameterField(
  parameter: ParameterDefinition,
  { typed }: RequestForm,
  say: Say,
  { field, about, line }: Fields,
): Html {
  const { input, kind, required = false } = parameter;
  const id = fieldName(parameter);
  const value = typed[id] ?? "";
  const label = required ? input : say("formOptional", { label: input });
  const what = say("formWhat", { what: kind.what });
  if (kind === flag) {
    const option = (each: string, text: string) =>
      html`<option value="${each}" ${value === each && html`selected`}>${text}</option>`;
    return field(
      id,
      label,
      html`<select id="${id}" name="${id}">${option("", say("formUnset"))}${option("true", say("formYes"))}${option("false", say("formNo"))}</select>`,
    );
  }
  if (kind.list) {
    return field(
      id,
      label,
      html`<textarea id="${id}" name="${id}" rows="4" spellcheck="false"${about(id)}>
${value}</textarea>`,
      `${what} ${say("formList")}`,
    );
  }
  return field(id, label, line(id, value), what);
}

/** What was typed as input of the operation, for planFromInput to check; values that were left out are absent. */
export function typedInput(
  definition: OperationDefinition,
  typed: Readonly<Record<string, string>>,
  place: Place,
): Record<string, unknown> {
  return Object.fromEntries(
    definition.parameters.flatMap((parameter): [string, unknown][] => {
      const text = (typed[fieldName(parameter)] ?? "").trim();
      return text === "" ? [] : [[parameter.input, parameterValue(parameter, text, place)]];
    }),
  );
}

function parameterValue({ kind }: ParameterDefinition, text: string, place: Place): unknown {
  if (kind.list) return text.split(/[\s,;]+/).filter((item) => item !== "");
  const others = [
    ...(/^\d{1,9}$/.test(text) ? [Number(text)] : []),
    ...(kind === flag ? [text === "true"] : []),
  ];
  // Fields give text only; where the parameter takes none, it is the number or the truth value that was meant.
  return kind.read(text, place) === undefined
    ? (others.find((value) => kind.read(value, place) !== undefined) ?? text)
    : text;
}
