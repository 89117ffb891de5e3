/** What the engine works with. Every port has an adapter over AWS and one in memory. */
import type { Log } from "../../shared/logging/logger";
import type { NoticeInput } from "../../shared/notice/notice";
import type { AuditTrail } from "../audit/auditTrail";
import type { Directory } from "../directory/directory";
import type { ActivePeople } from "../directory/people";
import type { AccessGiver } from "../execute/access";
import type { Actor } from "../execute/act";
import type { Looker } from "../execute/readers";
import type { Link } from "../links/link";
import type { OpenRequests } from "../links/store";
import type { DetailsStore, RequestDetails } from "../pages/details";
import type { PastRequests } from "../risk/assess";
import type { RiskModel } from "../risk/riskModel";
import type { ApprovalSettings } from "../settings";
import type { Snapshots } from "../snapshot/snapshots";
import type { EngineItems } from "../store/engineItems";
import type { ApprovalRequest } from "../workflow/request";
import type { RequestStore } from "../workflow/store";

/** Requests with what is shown of them. */
export type RequestTable = RequestStore & DetailsStore & OpenRequests;

/** What is known of the other cell's requests: the replica of its table in this region, as far as it was replicated. Read only. */
export interface PeerRequests {
  readonly cell: string;
  read(id: string): Promise<ApprovalRequest | undefined>;
  readDetails(id: string): Promise<RequestDetails | undefined>;
  listOpen(): Promise<ApprovalRequest[]>;
  /** As which request the other cell has opened one of this cell anew. */
  readReopening: EngineItems["readReopening"];
}

/** Whether something may be done in this cell now. */
export type FenceAnswer =
  | { readonly allowed: true }
  /** `final`: it will not be allowed later either. */
  | { readonly allowed: false; readonly why: string; readonly final: boolean };

/** Keeps two cells from doing the same. */
export interface Fence {
  /**
   * Whether this cell makes requests of the denied calls of a region, which both cells may see: of its own region always, of another one's as the
   * active cell. @param region undefined: the event does not say
   */
  mayTakeIn(region: string | undefined): Promise<FenceAnswer>;
  /** Whether people may open requests for a region here: for the cell's own always, for another one in the active cell. */
  mayOpen(region: string): Promise<FenceAnswer>;
  /**
   * Whether this cell carries out this request: it is for its own region, or the cell is active and the peer agrees or was declared dead; and the peer
   * did not open it anew.
   */
  mayExecute(requestId: string, region: string): Promise<FenceAnswer>;
}

/** The state machine that watches the clock for each request. */
export interface Executions {
  /** Sees to it that an execution is under way for a request. Starting one twice starts one. */
  ensure(requestId: string): Promise<void>;
  /** Lets a task that waits go on. One that does not wait any more is none's concern. */
  wake(token: string): Promise<void>;
}

/** Tells people. */
export interface Announcer {
  /** Tells everybody who has something to do, or to know, at the stage that a request has reached. Telling twice does no harm. */
  tell(request: ApprovalRequest, details: RequestDetails): Promise<void>;
  /** Sends a new mail in place of one whose link ended. */
  renew(
    renewal: {
      readonly person: string;
      readonly purpose: string;
      readonly level?: number | undefined;
      readonly renewals: number;
    },
    request: ApprovalRequest,
    details: RequestDetails,
  ): Promise<void>;
  /** Sends somebody the form for a call whose record says too little. */
  form(form: {
    readonly requestId: string;
    readonly person: string;
    readonly draft: NonNullable<Link["draft"]>;
    readonly why: string;
  }): Promise<void>;
  /** Tells somebody that what they were denied cannot be asked for in this way. */
  refused(refusal: {
    readonly requestId: string;
    readonly person: string;
    /** `event`: its name in the catalogue. */
    readonly call: { readonly event: string; readonly account: string; readonly region: string };
    readonly reason: string;
  }): Promise<void>;
}

/** Tells the operators of Bulkhead, whatever channel they chose. */
export interface Alerts {
  alert(notice: NoticeInput): Promise<void>;
}

/** In which organizational units an account is. */
export interface Units {
  /** From the account's own up to the root; empty when it cannot be found out. */
  of(account: string): Promise<readonly string[]>;
}

/** Everything that the engine works with; each part of it takes what it needs. */
export interface EngineParts {
  readonly cell: string;
  readonly settings: Pick<ApprovalSettings, "times" | "risk" | "snapshot">;
  readonly table: RequestTable;
  readonly items: EngineItems;
  readonly audit: AuditTrail;
  readonly people: ActivePeople & { now(): Promise<Directory>; lately(): Promise<Directory> };
  readonly fence: Fence;
  readonly executions: Executions;
  readonly announcer: Announcer;
  readonly alerts: Alerts;
  readonly looker: Looker;
  readonly past: PastRequests;
  /** @default none is asked */
  readonly model?: RiskModel;
  readonly units: Units;
  /** @default none are taken */
  readonly snapshots?: Snapshots;
  readonly access: AccessGiver;
  readonly actor: Actor;
  /** @default a single cell */
  readonly peer?: PeerRequests;
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}
