/** Measures the packets of one flow: those that a route has delivered. */
import type { Counters } from '../../channel/counters.ts';
import type { PlanFlow } from '../../schedule/gateway-plan.ts';
import { FlowProbe } from '../flow-probe.ts';
import type { FrameTime } from '../frame-time.ts';
import type { SwitchRoute } from './switch-route.ts';

export class RouteProbe extends FlowProbe {
  readonly route: SwitchRoute;

  constructor(plan: PlanFlow, route: SwitchRoute, counters: Counters, time: FrameTime) {
    super(plan, counters, time);
    this.route = route;
  }
}
