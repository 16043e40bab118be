/** The six roles, in the order in which they may more. */
import type { Role } from "../api/types";

export const ROLES: readonly Role[] = ["viewer", "operator", "safety_officer", "engineer", "regulator", "administrator"];
/** Programs never make users. */
export const TOKEN_ROLES: readonly Role[] = ROLES.filter((role) => role !== "administrator");
