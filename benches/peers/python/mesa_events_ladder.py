"""Mesa by events: agents on its event-scheduling simulator; every decision schedules the actor's next one."""

import warnings

import mesa
from mesa.experimental.devs import DEVSimulator

warnings.filterwarnings("ignore")


class Actor(mesa.Agent):
    def __init__(self, model):
        super().__init__(model)
        self.level = 0

    def wait(self):
        self.model.simulator.schedule_event_relative(self.act, self.random.expovariate(1.0))

    def act(self):
        others = self.model.total - self.level
        up = min(0.9, 0.3 + 0.1 * others / 9)
        own = min(5, self.level + 1) if self.random.random() < up else max(0, self.level - 1)
        self.model.total += own - self.level
        self.level = own
        self.wait()


class Ladder(mesa.Model):
    def __init__(self, simulator, seed):
        super().__init__(seed=seed)
        self.simulator = simulator
        self.total = 0
        simulator.setup(self)
        for actor in Actor.create_agents(self, 10):
            actor.wait()


def run(seed):
    simulator = DEVSimulator()
    model = Ladder(simulator, seed)
    simulator.run_until(100.0)
    return model.total
