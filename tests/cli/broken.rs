//! Broken scenarios: what `flashpoint check` says about each, and where.

use std::fs::{self, File};

use serde_json::Value;

use crate::{flashpoint, folder, succeed};

/// A sound scenario, which the edits below break.
pub const BASE: &str = include_str!("broken/base.toml");

/// What is replaced in the base (once), by what, and all problems that this must bring: `line:column: message | help`.
type Case = (&'static str, &'static str, &'static [&'static str]);

const NAMES: &[Case] = &[
    (
        "raid_rate / 365",
        "raid_rat / 365",
        &["65:11: there is no `raid_rat` | did you mean `raid_rate`?"],
    ),
    (
        "who = \"army\"",
        "who = \"navy\"",
        &["64:7: there is no actor or set of actors `navy`"],
    ),
    (
        "place = \"hills\"",
        "place = \"hils\"",
        &["68:10: there is no `hils` | did you mean `hills`?"],
    ),
    (
        "host = \"north\"",
        "host = \"nort\"",
        &["31:8: there is no actor `nort` | did you mean `north`?"],
    ),
    (
        "rivals = [\"south\"]",
        "rivals = [\"suoth\"]",
        &["17:11: there is no actor or set of actors `suoth` | did you mean `south`?"],
    ),
    (
        "actors = [\"north\", \"south\"]",
        "actors = [\"north\", \"hills\"]",
        &["34:20: there is no actor or set of actors `hills`"],
    ),
    (
        "score = \"self.anger\"",
        "score = \"self.angr\"",
        &["77:15: there is no stock `angr` | did you mean `anger`?"],
    ),
    (
        "target.anger +=",
        "target.angr +=",
        &["52:20: there is no stock `angr` | did you mean `anger`?"],
    ),
    (
        "\"north.anger -= 0.1\"",
        "\"army.anger -= 0.1\"",
        &[
            "88:13: `anger` does not exist there | give it a value in the `initial` of the stock; only through a role does it read its `elsewhere`",
        ],
    ),
    (
        ">= rungs.war",
        ">= rungs.wra",
        &["99:36: the ladder has no rung `wra` | did you mean `war`?"],
    ),
    (
        "at_least = \"war\"",
        "at_least = \"peace\"",
        &["55:12: there is no rung `peace` | write `calm` or `war`"],
    ),
    (
        "on = \"raid\"",
        "on = \"riad\"",
        &["66:10: there is no action `riad` | did you mean `raid`?"],
    ),
    (
        "count = \"raid\"",
        "count = \"rade\"",
        &["95:9: there is no action `rade` | did you mean `raid`?"],
    ),
    (
        "target = \"blamed\"",
        "target = \"blame\"",
        &["79:11: there is no `blame` | did you mean `blamed`?"],
    ),
    (
        "when = \"event.killed > 2\"",
        "when = \"event.kiled > 2\"",
        &["74:15: an event has no `kiled` | an event has `killed`, `foiled` and `goldstein`"],
    ),
    (
        "0.1 * event.killed",
        "log(event.killed)",
        &["52:29: there is no function `log` | the natural logarithm is `ln`"],
    ),
    (
        "when = \"deaths > 20\"",
        "when = \"death > 20\"",
        &["104:9: there is no `death` | did you mean `deaths`?"],
    ),
    (
        "{ north = \"anger_0\"",
        "{ nroth = \"anger_0\"",
        &[
            "38:21: there is no actor or set of actors `nroth` | did you mean `north`?",
            "88:13: `anger` does not exist there | give it a value in the `initial` of the stock; only through a role does it read its `elsewhere`",
            "109:10: `anger` does not exist there | give it a value in the `initial` of the stock; only through a role does it read its `elsewhere`",
        ],
    ),
    (
        "dist = \"exponential\"",
        "dist = \"exponentail\"",
        &[
            "80:18: `exponentail` is not a valid `dist` | did you mean \"exponential\"? | `dist` is one of `constant`, `uniform`, `log_uniform`, `triangular`, `normal`, `lognormal`, `exponential`, `weibull`, `beta`, `pert`, `power_law`, `discrete_power_law` or `discrete`",
        ],
    ),
    (
        "anger = \"north.anger\"",
        "anger = \"nort.anger\"",
        &["109:10: there is no `nort` | did you mean `north`?"],
    ),
];

const SCOPES: &[Case] = &[
    (
        "hazard = \"raid_rate / 365\"",
        "hazard = \"(north if north.anger > 1 else south).anger\"",
        &[
            "65:10: a hazard cannot depend on a stock or rung of an actor or place that is found in the run | say the stock in each case: `a.stock if a.power > b.power else b.stock` instead of `(a if a.power > b.power else b).stock`",
        ],
    ),
    (
        "when = \"rung[north, army] >= rungs.war\"",
        "when = \"rung[north if north.anger > 1 else south, army] >= rungs.war\"\nabsorbing = true",
        &[
            "99:8: an absorbing endgame cannot depend on a stock or rung of an actor or place that is found in the run | say the stock in each case: `a.stock if a.power > b.power else b.stock` instead of `(a if a.power > b.power else b).stock`",
        ],
    ),
    (
        "when = \"rung[north, army] >= rungs.war\"",
        "when = \"worst > 1\"\nabsorbing = true\n[metric.worst]\nfinal = \"(north if north.anger > 1 else south).anger\"",
        &[
            "102:9: an absorbing endgame cannot depend on a stock or rung of an actor or place that is found in the run | say the stock in each case: `a.stock if a.power > b.power else b.stock` instead of `(a if a.power > b.power else b).stock`",
        ],
    ),
    (
        "when = \"event.killed > 2\"",
        "when = \"perpetrator == army\"",
        &[
            "74:9: a rule cannot see the true perpetrator | use `blamed`, whom this actor believes responsible",
        ],
    ),
    (
        "when = \"event.killed > 2\"",
        "when = \"sponsor == south\"",
        &[
            "74:9: a rule cannot see the true sponsor | use `blamed`, whom this actor believes responsible",
        ],
    ),
    (
        "raid_rate / 365",
        "raid_rate * event.killed",
        &["65:23: a process cannot see `event.*` | it sees parameters, stocks, rungs, time"],
    ),
    (
        "half_life = 60",
        "half_life = \"60 * north.anger\"",
        &["39:19: a stock's start, baseline or half-life cannot see stocks | it sees parameters"],
    ),
    (
        "probability = 0.5",
        "probability = \"north.anger\"",
        &["87:16: the probability of a calendar entry cannot see stocks | it sees parameters"],
    ),
    (
        "score = \"self.anger\"",
        "score = \"candidate.anger\"",
        &[
            "77:10: a rule has no `candidate` | `candidate` exists in the `weight`, `most` and `when` of a selector with `among`",
        ],
    ),
    (
        "score = \"self.anger\"",
        "score = \"deaths\"",
        &["77:10: a rule cannot see metrics | it sees parameters, stocks, rungs, time, `event.*`"],
    ),
    (
        "count = \"raid\"",
        "count = \"raid\"\nwhere = \"deaths > 3\"",
        &[
            "96:10: a metric of events cannot see metrics | it sees parameters, stocks, rungs, time, `event.*`",
        ],
    ),
];

const TYPES: &[Case] = &[
    (
        "when = \"deaths > 20\"",
        "when = \"deaths\"",
        &[
            "104:9: expected a truth (yes or no), found a number | compare it with something, such as `... > 0`",
        ],
    ),
    (
        "raid_rate / 365",
        "raid_rate > 365",
        &["65:11: expected a number, found a truth (yes or no) | write `1 if ... else 0`"],
    ),
    (
        "score = \"self.anger\"",
        "score = \"self\"",
        &[
            "77:10: expected a number, found an actor | name one of its stocks: the actor, a dot, the stock",
        ],
    ),
    (
        "target = \"north\"",
        "target = \"hills\"",
        &[
            "67:11: expected an actor, found a place | `host(place)` is the actor on whose ground it is",
        ],
    ),
    (
        "place = \"hills\"",
        "place = \"north\"",
        &["68:10: expected a place, found an actor"],
    ),
    (
        "when = \"event.killed > 2\"",
        "when = \"event.foiled > 2\"",
        &["74:9: expected a number, found a truth (yes or no) | write `1 if ... else 0`"],
    ),
    (
        "when = \"event.killed > 2\"",
        "when = \"north == hills\"",
        &[
            "74:18: expected an actor, found a place | `host(place)` is the actor on whose ground it is",
        ],
    ),
    (
        "when = \"event.killed > 2\"",
        "when = \"self in places\"",
        &["74:9: this set has no such members: expected a place, found an actor"],
    ),
    (
        "0.1 * event.killed",
        "north",
        &[
            "52:29: expected a number, found an actor | name one of its stocks: the actor, a dot, the stock",
        ],
    ),
    (
        "[north, army]",
        "[north, hills]",
        &[
            "99:21: expected an actor, found a place | `host(place)` is the actor on whose ground it is",
        ],
    ),
    (
        "[north, army]",
        "[north]",
        &["99:9: a rung belongs to two actors | write `rung[a, b]`"],
    ),
    (
        "north.anger -= 0.1",
        "anger_0 -= 0.1",
        &[
            "88:13: a statement can only change a stock | write `actor.stock`, `actor.stock[b]` or `world.stock` on the left",
        ],
    ),
    (
        "score = \"self.anger\"",
        "score = \"max(self.anger)\"",
        &[
            "77:10: `max` compares two values or more | over a set, write `max(a.stock for a in set)`",
        ],
    ),
    (
        "score = \"self.anger\"",
        "score = \"world.anger\"",
        &["77:10: `anger` is a stock of an actor | write `actor.anger`"],
    ),
    (
        "horizon = 365",
        "horizon = \"a year\"",
        &["4:11: `horizon` must be a number, not a string | a formula is not possible here"],
    ),
    (
        "kind = \"proxy\"",
        "kind = \"militia\"",
        &[
            "23:8: `militia` is not a valid `kind` | `kind` is one of `state`, `agency`, `group`, `proxy`, `public` or `organization`",
        ],
    ),
];

const SYNTAX: &[Case] = &[
    (
        "0.1 * event.killed",
        "0.1 * (event.killed",
        &["52:48: expected `)`, found the end"],
    ),
    (
        "target.anger += 0.1 * event.killed",
        "target.anger",
        &["52:25: expected `=`, `+=`, `-=` or `*=`, found the end"],
    ),
    (
        "target.anger += 0.1 * event.killed",
        "target.anger /= 2",
        &["52:26: `/=` means nothing in a formula | write `*= 1 / x`"],
    ),
    (
        "target.anger += 0.1 * event.killed",
        "0.5 = target.anger",
        &[
            "52:13: a statement can only change a stock | write `actor.stock`, `actor.stock[b]` or `world.stock` on the left",
        ],
    ),
    (
        "raid_rate / 365",
        "raid_rate // 365",
        &["65:22: expected a value, found `/`"],
    ),
    (
        "raid_rate / 365",
        "0 < raid_rate < 1",
        &["65:25: comparisons cannot be chained | write `a < b and b < c`"],
    ),
    (
        "raid_rate / 365",
        "1 if raid_rate > 3",
        &[
            "65:29: expected `else`, found the end | write `A if condition else B`: a formula needs a value in both cases",
        ],
    ),
    (
        "raid_rate / 365",
        "",
        &["65:11: expected a value, found the end"],
    ),
    (
        "half_life = 60",
        "half_life = nan",
        &["39:13: `half_life` is not a number"],
    ),
    (
        "of = \"actor\"",
        "of = \"actor",
        &["37:12: this string is not closed | a string ends with the quotes that it began with"],
    ),
    (
        "[action.strike]",
        "[action.strike]\n[action.strike]",
        &[
            "62:9: `strike` is defined twice | second definition | remove one of the two, or merge them into one table",
        ],
    ),
];

const VALUES: &[Case] = &[
    (
        "half_life = 60",
        "half_life = -60",
        &["39:13: `half_life` is -60, but must be a positive number of days"],
    ),
    (
        "half_life = 60",
        "half_life = 0",
        &["39:13: `half_life` is 0, but must be a positive number of days"],
    ),
    (
        "horizon = 365",
        "horizon = -1",
        &["4:11: `horizon` is -1, but must be a positive number of days up to 100000"],
    ),
    (
        "horizon = 365",
        "horizon = 0",
        &["4:11: `horizon` is 0, but must be a positive number of days up to 100000"],
    ),
    (
        "horizon = 365",
        "horizon = 1e9",
        &["4:11: `horizon` is 1000000000, but must be a positive number of days up to 100000"],
    ),
    (
        "horizon = 365\n",
        "",
        &[
            "1:1: the scenario has no `horizon` | add the length of a run in days, for example `horizon = 365`",
        ],
    ),
    (
        "start = 2025-01-01\n",
        "",
        &["1:1: the scenario has no `start` | add the first day, for example `start = 2024-01-01`"],
    ),
    (
        "start = 2025-01-01",
        "start = 2025-02-30",
        &["3:9: invalid TOML: invalid date | expected day between 01 and 28"],
    ),
    (
        "start = 2025-01-01",
        "start = 2025-01-01\nmax_events = 0",
        &["4:14: `max_events` must be at least 1"],
    ),
    (
        "start = 2025-01-01",
        "start = 2025-01-01\nruns_per_world = 1",
        &["4:18: `runs_per_world` must be at least 2"],
    ),
    (
        "{ dist = \"lognormal\", median = 6, sigma = 0.3 }",
        "{ dist = \"lognormal\", median = 6, sigma = 0 }",
        &[
            "13:9: lognormal: sigma is 0; give a number above 0, at most 20 (for no spread, use constant)",
        ],
    ),
    (
        "{ dist = \"lognormal\", median = 6, sigma = 0.3 }",
        "{ dist = \"lognormal\", mean = 6, sigma = 0.3 }",
        &[
            "13:9: `median` is missing: write lognormal(median, sigma, [low, high])",
            "13:38: `mean` is no parameter of lognormal(median, sigma, [low, high])",
        ],
    ),
    (
        "{ dist = \"lognormal\", median = 6, sigma = 0.3 }",
        "{ dist = \"uniform\", low = 6, high = 5 }",
        &[
            "13:9: uniform: low is 6 and high is 5; make low less than high (for a single value, use constant)",
        ],
    ),
    (
        "{ dist = \"lognormal\", median = 6, sigma = 0.3 }",
        "{ dist = \"uniform\", low = 6, hihg = 7 }",
        &["13:38: unknown key `hihg` in `parameter.raid_rate.prior` | did you mean `high`?"],
    ),
    (
        "{ dist = \"lognormal\", median = 6, sigma = 0.3 }",
        "{ dist = \"uniform\", low = \"anger_0\", high = 7 }",
        &["13:9: a prior is made of numbers, not of other parameters"],
    ),
    (
        "{ dist = \"lognormal\", median = 6, sigma = 0.3 }",
        "{ dist = \"discrete\", values = [1, 2], weights = [1] }",
        &["13:9: discrete: there are 2 values and 1 weights; give one weight for each value"],
    ),
    (
        "exponent = 2",
        "exponent = 1",
        &[
            "50:10: discrete_power_law: exponent is 1; give a number above 1, at most 1000 (for an exponent of 1, use log_uniform)",
        ],
    ),
    (
        "mean = 3",
        "mean = -3",
        &["80:9: exponential: mean is -3; give a positive number, from 1e-150 to 1e150"],
    ),
    (
        "south = 0.1 }",
        "south = 2 }",
        &["38:40: `south` is 2, but must be between the stock's `min` and `max`"],
    ),
    (
        "max = 1\n\n[ladder]",
        "max = -1\n\n[ladder]",
        &["41:7: `max` is -1, but must be at least `min`"],
    ),
    (
        "foiled = 0.1",
        "foiled = 1.5",
        &["51:10: `foiled` is 1.5, but must be between 0 and 1"],
    ),
    (
        "hazard = \"raid_rate / 365\"",
        "hazard = -1",
        &["65:10: `hazard` is -1, but must be 0 or more"],
    ),
    (
        "probability = 0.5",
        "probability = 1.5",
        &["87:15: `probability` is 1.5, but must be between 0 and 1"],
    ),
    (
        "count = 2",
        "count = 0",
        &["28:9: `count` is 0, but must lie between 1 and 10000"],
    ),
    (
        "count = 2",
        "count = 1000000",
        &["28:9: `count` is 1000000, but must lie between 1 and 10000"],
    ),
    (
        "every = 30",
        "every = 0",
        &["107:9: `every` is 0, but must be a number of days that leaves at most 100000 dates"],
    ),
    (
        "every = 30",
        "every = 1e-9",
        &[
            "107:9: `every` is 0.000000001, but must be a number of days that leaves at most 100000 dates",
        ],
    ),
    (
        "basis = \"assumption\"\nprior",
        "basis = \"data\"\nprior",
        &[
            "10:1: the parameter `raid_rate` names no source | add `source = \"...\"`, or mark it `basis = \"assumption\"`",
        ],
    ),
    (
        "date = 2025-03-10",
        "date = 2024-03-10",
        &["86:8: the entry `summit` lies before the start of the scenario, 2025-01-01"],
    ),
    (
        "date = 2025-03-10",
        "window = [2025-03-10, 2025-03-01]",
        &["86:10: the window ends on 2025-03-01, before it begins on 2025-03-10"],
    ),
    (
        "date = 2025-03-10",
        "window = [2024-12-01, 2025-03-01]",
        &["86:10: the entry `summit` lies before the start of the scenario, 2025-01-01"],
    ),
    (
        "date = 2025-03-10",
        "date = 2025-03-10\nday = 68",
        &["84:1: a calendar entry has exactly one of `date`, `window` and `day`"],
    ),
    (
        "date = 2025-03-10\n",
        "",
        &["84:1: a calendar entry has exactly one of `date`, `window` and `day`"],
    ),
    (
        "date = 2025-03-10",
        "date = 2025-03-10\naction = \"raid\"",
        &["84:1: an event of the calendar needs an `actor`: who does it"],
    ),
    (
        "date = 2025-03-10",
        "date = 2025-03-10\ntarget = \"north\"",
        &["87:10: an entry without an `action` is no event, so `target` has no meaning"],
    ),
];

const STRUCTURE: &[Case] = &[
    (
        "[[endgame]]\nid = \"calm\"\n",
        "",
        &[
            "99:8: the last endgame, `war`, has a condition, so some runs would have no endgame | add a last endgame without `when`: it takes all other runs",
        ],
    ),
    (
        "when = \"rung[north, army] >= rungs.war\"\n",
        "",
        &[
            "97:1: the endgame `war` has no `when`, so those after it could never be reached | only the last endgame goes without `when`",
        ],
    ),
    (
        "id = \"calm\"\n\n[flag",
        "id = \"war\"\n\n[flag",
        &["101:6: `endgame` has two elements with the id `war` | used again here"],
    ),
    (
        "id = \"hold\"",
        "id = \"strike\"",
        &["82:6: `rule.answers.option` has two elements with the id `strike` | used again here"],
    ),
    (
        "id = \"hold\"",
        "id = \"hold\"\ntarget = \"north\"",
        &["83:10: an option without an `action` does nothing, so `target` has no meaning"],
    ),
    (
        "score = \"self.anger\"",
        "score = 1\nprobability = 0.5",
        &["78:15: the options of one choice have either scores or probabilities, not both"],
    ),
    (
        "score = \"self.anger\"\n",
        "",
        &[
            "70:1: nothing says how to choose among these options | give them a `score` each, or a `probability`",
        ],
    ),
    (
        "score = \"self.anger\"\naction = \"strike\"",
        "probability = 0.5\naction = \"strike\"\n[[rule.answers.option]]\nid = \"third\"\nscore = 1",
        &[
            "77:15: the options of one choice have either scores or probabilities, not both",
            "82:10: an option without an `action` does nothing, so `target` has no meaning",
            "83:9: an option without an `action` does nothing, so `delay` has no meaning",
            "84:1: only one option may go without a probability: it takes what the others leave",
        ],
    ),
    (
        "id = \"hold\"",
        "id = \"hold\"\n[[rule.answers.option]]\nid = \"rest\"\n[[rule.answers.option]]\nid = \"c\"\nprobability = 0.5",
        &[
            "81:1: only one option may go without a probability: it takes what the others leave",
            "83:1: only one option may go without a probability: it takes what the others leave",
            "87:15: the options of one choice have either scores or probabilities, not both",
        ],
    ),
    (
        "action = \"raid\"\n",
        "",
        &[
            "63:1: the process `raids` leads to nothing | add `action = \"...\"`, or options with `[[process.NAME.option]]`",
            "66:10: an option without an `action` does nothing, so `target` has no meaning",
            "67:9: an option without an `action` does nothing, so `place` has no meaning",
        ],
    ),
    (
        "action = \"raid\"\ntarget = \"north\"\nplace = \"hills\"\n",
        "",
        &[
            "63:1: the process `raids` leads to nothing | add `action = \"...\"`, or options with `[[process.NAME.option]]`",
        ],
    ),
    (
        "over = [\"raid\"]\n",
        "",
        &["90:1: a `sum` needs the actions over which it runs | add `over = [\"...\"]`"],
    ),
    (
        "count = \"raid\"",
        "peak = \"north.anger\"\nwhere = \"target == north\"",
        &["96:9: `where` chooses among events: it goes with count, sum, first, last or exchanges"],
    ),
    (
        "count = \"raid\"",
        "peak = \"north.anger + 1\"",
        &[
            "95:8: `north.anger + 1` is not a single stock or rung | only one stock or one rung can be followed through time, for example `iran.unrest` or `rung[iran, pakistan]`",
        ],
    ),
    (
        "count = \"raid\"",
        "count = \"raid\"\nfirst = \"raid\"",
        &["94:1: a metric is one thing only, but this one has count and first"],
    ),
    (
        "count = \"raid\"\n",
        "",
        &[
            "94:1: a metric needs exactly one of count, sum, first, last, peak, low, time_above, time_below, first_above, first_below, time_mean, exchanges, final and value",
        ],
    ),
    (
        "count = \"raid\"",
        "value = \"raids + 1\"",
        &["95:9: the metric `raids` is made of itself, through others or directly"],
    ),
    (
        "count = \"raid\"",
        "value = \"twice / 2\"\n[metric.twice]\nvalue = \"raids * 2\"",
        &[
            "95:9: the metric `raids` is made of itself, through others or directly",
            "97:9: the metric `twice` is made of itself, through others or directly",
        ],
    ),
    (
        "patron = \"south\"",
        "patron = \"army\"",
        &["24:10: an actor cannot be its own patron"],
    ),
    (
        "actors = [\"north\", \"south\"]",
        "actors = [\"neighbours\"]",
        &["33:1: the set `neighbours` is made of itself, through others or directly"],
    ),
    (
        "actors = [\"north\", \"south\"]",
        "actors = [\"others\"]\n[set.others]\nactors = [\"neighbours\"]",
        &[
            "33:1: the set `neighbours` is made of itself, through others or directly",
            "35:1: the set `others` is made of itself, through others or directly",
        ],
    ),
    (
        "actors = [\"north\", \"south\"]",
        "actors = [\"north\"]\nplaces = [\"hills\"]",
        &["33:1: a set lists either `actors` or `places`"],
    ),
    (
        "[parameter.anger_0]",
        "[parameter.south]\nvalue = 1\nbasis = \"assumption\"\n[parameter.anger_0]",
        &[
            "22:8: `south` is the name of a parameter and of an actor: formulas could not tell which is meant",
        ],
    ),
    (
        "[place.hills]",
        "[place.village_1]\n[place.hills]",
        &["28:9: `count` makes an actor `village_1`, but there is already a place of that name"],
    ),
    (
        "[actor.army]",
        "[actor.village_2]\nkind = \"group\"\n[actor.army]",
        &["30:9: `count` makes an actor `village_2`, but there is already an actor of that name"],
    ),
    (
        "[set.neighbours]",
        "[set.states]",
        &["33:6: `states` has a meaning of its own in formulas: choose another name"],
    ),
    (
        "[place.hills]",
        "[place.target]\n[place.hills]",
        &["30:8: `target` has a meaning of its own in formulas: choose another name"],
    ),
    (
        "[place.hills]",
        "[place.Hills]",
        &[
            "30:8: `Hills` is not a valid id | write `hills` | ids are made of lower-case letters, digits and `_`, and begin with a letter",
        ],
    ),
    (
        "[parameter.anger_0]",
        "[parameter.time]\nvalue = 1\nbasis = \"assumption\"\n[parameter.anger_0]",
        &["6:12: `time` has a meaning of its own in formulas: choose another name"],
    ),
    (
        "[ladder]\n[[ladder.rung]]\nid = \"calm\"\n[[ladder.rung]]\nid = \"war\"\n",
        "",
        &[
            "50:12: there is no rung `war`",
            "94:36: the ladder has no rung `war`",
            "107:19: there is no rung `war`",
        ],
    ),
    (
        "at_least = \"war\"",
        "at_least = \"war\"\nstep = 1",
        &["53:1: a move on the ladder has exactly one of `at_least`, `at_most` and `step`"],
    ),
    (
        "foiled = 0.1",
        "foiled_effects = [\"target.anger = 0\"]",
        &[
            "51:18: this action has effects when foiled, but no probability of being foiled | add `foiled = ...`, or drop `foiled_effects`",
        ],
    ),
    (
        "target = \"blamed\"",
        "target = { among = \"states\" }",
        &[
            "79:10: a choice among several needs either `weight` or `most` | `weight = 1` draws any of them with the same probability",
        ],
    ),
    (
        "target = \"blamed\"",
        "target = { among = \"places\", weight = 1 }",
        &["79:20: `places` is not a set of actors"],
    ),
    (
        "of = \"actor\"",
        "of = \"world\"",
        &[
            "38:11: a stock of the world has a single value, not a table",
            "52:13: `anger` is a stock of the world | write `world.anger`",
            "77:10: `anger` is a stock of the world | write `world.anger`",
            "88:13: `anger` is a stock of the world | write `world.anger`",
            "109:10: `anger` is a stock of the world | write `world.anger`",
            "119:14: `anger` is a stock of the world | write `world.anger`",
        ],
    ),
    (
        "[timeline.series]",
        "[timeline.seires]",
        &[
            "106:1: missing key `series` in `timeline`",
            "108:11: unknown key `seires` in `timeline` | did you mean `series`?",
        ],
    ),
    (
        "when = \"deaths > 20\"\n",
        "",
        &["103:1: missing key `when` in `flag.deadly`"],
    ),
];

/// What `check --format json` says about each of some files.
fn check(folder: &tempfile::TempDir, names: &[String]) -> Vec<Vec<String>> {
    let mut arguments = vec!["check", "--format", "json"];
    arguments.extend(names.iter().map(String::as_str));
    let done = flashpoint(folder.path(), &arguments);
    assert_eq!((done.code, done.stderr.as_str()), (2, ""));
    let found: Value = serde_json::from_str(&done.stdout).unwrap();
    let scenarios = found["scenarios"].as_array().unwrap();
    assert_eq!(scenarios.len(), names.len());
    let said = |scenario: &Value| {
        let problems = scenario["problems"].as_array().unwrap().iter();
        problems.map(line).collect()
    };
    scenarios.iter().map(said).collect()
}

fn line(problem: &Value) -> String {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let location = &problem["location"];
    let place = match location["line"].as_u64() {
        Some(line) => format!("{line}:{}: ", location["column"]),
        None => String::new(),
    };
    let advice = [text(&location["label"]), text(&problem["help"])];
    let advice = advice
        .into_iter()
        .flatten()
        .map(|advice| format!(" | {advice}"));
    let advice: String = advice.collect();
    format!("{place}{}{advice}", problem["message"].as_str().unwrap())
}

const DEFINITIONS: &[Case] = &[
    (
        "value = \"2 * who.anger\"",
        "value = \"2 * who.angr\"",
        &["119:18: there is no stock `angr` | did you mean `anger`?"],
    ),
    (
        "hazard = \"rage(self)\"",
        "hazard = \"rag(self)\"",
        &["124:11: there is no function `rag` | did you mean `rage`?"],
    ),
    (
        "hazard = \"rage(self)\"",
        "hazard = \"rage\"",
        &["124:11: the formula `rage` takes 1 value, not 0 | write `rage(who)`"],
    ),
    (
        "hazard = \"rage(self)\"",
        "hazard = \"rage(slef)\"",
        &["124:16: there is no `slef` | did you mean `self`?"],
    ),
    (
        "hazard = \"rage(self)\"",
        "hazard = \"1 if rage(self) else 2\"",
        &[
            "124:16: expected a truth (yes or no), found a number | compare it with something, such as `... > 0`",
        ],
    ),
    (
        "value = \"2 * who.anger\"",
        "value = \"2 *\"",
        &["119:13: expected a value, found the end"],
    ),
    (
        "value = \"2 * who.anger\"",
        "value = \"rage(who)\"",
        &["119:10: the formula `rage` is made of itself, through others or directly"],
    ),
    (
        "value = \"2 * who.anger\"",
        "value = \"target.anger + who.anger\"",
        &["119:10: a process has no `target` | name the actor; there is no event here"],
    ),
    (
        "takes = [\"who\"]",
        "takes = [\"north\"]",
        &[
            "118:10: `north` already means something: choose a name that nothing else has",
            "119:14: there is no `who`",
        ],
    ),
    (
        "takes = [\"who\"]",
        "takes = [\"who\", \"who\"]",
        &[
            "118:17: `who` stands here twice",
            "124:11: the formula `rage` takes 2 values, not 1 | write `rage(who, who)`",
        ],
    ),
    (
        "takes = [\"who\"]",
        "takes = [\"Who\"]",
        &[
            "118:10: `Who` is not a valid name: names are made of lower-case letters, digits and `_`, and begin with a letter",
            "119:14: there is no `who` | did you mean `Who`?",
        ],
    ),
    (
        "[formula.rage]",
        "[formula.raid_rate]",
        &[
            "117:10: `raid_rate` is the name of a parameter and of a formula: formulas could not tell which is meant",
            "124:11: there is no function `rage`",
        ],
    ),
    (
        "[formula.rage]",
        "[formula.logistic]",
        &[
            "117:10: `logistic` has a meaning of its own in formulas: choose another name",
            "124:11: there is no function `rage`",
        ],
    ),
    (
        "source = \"yearbook\"",
        "source = \"yearbok\"",
        &["120:10: there is no source `yearbok` | did you mean `yearbook`?"],
    ),
    (
        "source = \"yearbook\"",
        "source = [\"the yearbook\", \"yearbok\"]",
        &["120:27: there is no source `yearbok` | did you mean `yearbook`?"],
    ),
    (
        "north = { south = \"war\" }",
        "north = { south = \"wra\" }",
        &["112:19: there is no rung `wra` | did you mean `war`?"],
    ),
    (
        "north = { south = \"war\" }",
        "north = { suoth = \"war\" }",
        &["112:19: there is no actor or set of actors `suoth` | did you mean `south`?"],
    ),
    (
        "north = { south = \"war\" }",
        "north = { north = \"war\" }",
        &["112:19: an actor stands on no rung with itself"],
    ),
    (
        "north = { south = \"war\" }",
        "north = { south = \"war\" }\nsouth = { north = \"calm\" }",
        &[
            "113:19: `north` and `south` are given two rungs to start on | a rung belongs to both actors alike: give it once",
        ],
    ),
    (
        "per = \"year\"",
        "per = \"month\"",
        &["125:7: `month` is not a valid `per` | `per` is one of `day` or `year`"],
    ),
    (
        "action = \"strike\"\n",
        "action = \"strike\"\nadd = { effects = [] }\n",
        &[
            "79:1: unknown key `add` in `rule.answers.option[0]` | the keys here are `id`, `label`, `stance`, `when`, `score`, `probability`, `action`, `target`, `place`, `claimant`, `sponsor`, `delay`, `still`, `enabled` and `note`",
        ],
    ),
    (
        "[action.strike]",
        "[action.strike]\nadd = { effects = [\"north.anger = 0\"] }",
        &[
            "62:7: `action.strike` is not inherited, so there is nothing to add to | give the lists themselves, without `add`",
        ],
    ),
];

#[track_caller]
fn each_is_refused(cases: &[Case]) {
    let folder = folder(&[]);
    let mut names = Vec::new();
    for (index, (from, to, _)) in cases.iter().enumerate() {
        assert!(BASE.contains(from), "{from}");
        let name = format!("{index:02}.toml");
        fs::write(folder.path().join(&name), BASE.replacen(from, to, 1)).unwrap();
        names.push(name);
    }
    let mut wrong = String::new();
    for ((from, to, expected), said) in cases.iter().zip(check(&folder, &names)) {
        if said != *expected {
            wrong.push_str(&format!(
                "{from:?} -> {to:?}\n  expected {expected:?}\n  but got  {said:?}\n"
            ));
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn the_base_is_sound() {
    let folder = folder(&[("base.toml", BASE)]);
    let text = succeed(folder.path(), &["check", "base.toml"]);
    assert!(text.starts_with("base.toml: ok: "), "{text}");
    succeed(
        folder.path(),
        &["run", "base.toml", "--runs", "100", "--no-files"],
    );
}

#[test]
fn names_that_nothing_has() {
    each_is_refused(NAMES);
}

#[test]
fn names_that_cannot_be_seen() {
    each_is_refused(SCOPES);
}

#[test]
fn values_of_another_type() {
    each_is_refused(TYPES);
}

#[test]
fn malformed_text() {
    each_is_refused(SYNTAX);
}

#[test]
fn values_out_of_range() {
    each_is_refused(VALUES);
}

#[test]
fn parts_that_do_not_fit_together() {
    each_is_refused(STRUCTURE);
}

#[test]
fn named_formulas_sources_and_starting_rungs() {
    each_is_refused(DEFINITIONS);
}

/// Every problem of one kind or another, in the order of the file.
#[test]
fn all_problems_of_a_file_come_at_once() {
    let edits = [
        ("{ north = \"anger_0\"", "{ nroth = \"anger_0\""),
        ("at_least = \"war\"", "at_least = \"wra\""),
        ("raid_rate / 365", "raid_rat / 365"),
        ("on = \"raid\"", "on = \"riad\""),
        ("score = \"self.anger\"", "score = \"self\""),
        ("date = 2025-03-10", "date = 2024-03-10"),
        ("over = [\"raid\"]\n", ""),
        ("when = \"deaths > 20\"", "when = \"deaths\""),
    ];
    let mut text = BASE.to_owned();
    for (from, to) in edits {
        assert!(text.contains(from), "{from}");
        text = text.replacen(from, to, 1);
    }
    let folder = folder(&[("many.toml", &text)]);
    let said = check(&folder, &["many.toml".to_owned()]);
    let expected = [
        "38:21: there is no actor or set of actors `nroth` | did you mean `north`?",
        "55:12: there is no rung `wra` | did you mean `war`?",
        "65:11: there is no `raid_rat` | did you mean `raid_rate`?",
        "66:10: there is no action `riad` | did you mean `raid`?",
        "77:10: expected a number, found an actor | name one of its stocks: the actor, a dot, the stock",
        "86:8: the entry `summit` lies before the start of the scenario, 2025-01-01",
        "88:13: `anger` does not exist there | give it a value in the `initial` of the stock; only through a role does it read its `elsewhere`",
        "90:1: a `sum` needs the actions over which it runs | add `over = [\"...\"]`",
        "103:9: expected a truth (yes or no), found a number | compare it with something, such as `... > 0`",
        "108:10: `anger` does not exist there | give it a value in the `initial` of the stock; only through a role does it read its `elsewhere`",
    ];
    assert_eq!(said[0], expected, "\n{:#?}", said[0]);
}

/// Files that are no scenarios at all.
#[test]
fn files_that_cannot_be_read() {
    let nested =
        |open: &str, close: &str| format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
    let deep_formula = BASE.replacen("raid_rate / 365", &nested("(", ")")[..9_000], 1);
    let signs = BASE.replacen("raid_rate / 365", &format!("{}1", "-".repeat(9_000)), 1);
    let long_formula = BASE.replacen("raid_rate / 365", &format!("1{}", " + 1".repeat(20_000)), 1);
    let cases: [(&str, Vec<u8>, &str); 16] = [
        (
            "empty.toml",
            b"".into(),
            "1:1: the file is empty | a scenario begins with the table [scenario], an experiment with [batch]; `flashpoint scenarios` lists examples",
        ),
        (
            "blank.toml",
            b" \n\t\n# nothing\n".into(),
            "1:1: the file is empty | a scenario begins with the table [scenario], an experiment with [batch]; `flashpoint scenarios` lists examples",
        ),
        (
            "latin.toml",
            b"[scenario]\ntitle = \"caf\xe9\"\n".into(),
            "`latin.toml` is not UTF-8 text: byte 0xe9 at offset 23, line 2 | save the file as UTF-8",
        ),
        (
            "utf16.toml",
            b"\xff\xfe[\0s\0]\0".into(),
            "`utf16.toml` is not UTF-8 text: byte 0xff at offset 0, line 1 | save the file as UTF-8",
        ),
        (
            "binary.toml",
            vec![0; 64],
            "1:65: invalid TOML: key with no value | expected `=`",
        ),
        (
            "nested.toml",
            format!("a = {}", nested("[", "]")).into(),
            "1:85: tables and arrays are nested more than 64 deep",
        ),
        (
            "tables.toml",
            format!("a = {}", nested("{a = ", "}")).into(),
            "1:405: tables and arrays are nested more than 64 deep",
        ),
        (
            "dotted.toml",
            format!("{}a = 1", "a.".repeat(100_000)).into(),
            "1:1: invalid TOML: recursion limit",
        ),
        (
            "formula.toml",
            deep_formula.into(),
            "65:76: this formula nests more than 64 levels deep | split it into parameters, stocks or metrics",
        ),
        (
            "signs.toml",
            signs.into(),
            "65:76: this formula nests more than 64 levels deep | split it into parameters, stocks or metrics",
        ),
        (
            "long.toml",
            long_formula.into(),
            "65:11: this formula is 80001 bytes long; the limit is 10000",
        ),
        (
            "loop.toml",
            b"[scenario]\nextends = \"loop.toml\"\n".into(),
            "2:11: scenarios extend each other in a circle: loop.toml -> loop.toml",
        ),
        (
            "ping.toml",
            b"[scenario]\nextends = \"pong.toml\"\n".into(),
            "2:11: scenarios extend each other in a circle: ping.toml -> pong.toml -> ping.toml",
        ),
        (
            "pong.toml",
            b"[scenario]\nextends = \"./ping.toml\"\n".into(),
            "2:11: scenarios extend each other in a circle: pong.toml -> ./ping.toml -> pong.toml",
        ),
        (
            "lost.toml",
            b"[scenario]\nextends = \"pang.toml\"\n".into(),
            "2:11: there is no scenario file `pang.toml`, nor a built-in scenario `pang` | did you mean `ping.toml`?",
        ),
        (
            "up.toml",
            b"[scenario]\nextends = \"folder.toml\"\n".into(),
            "2:11: there is no scenario file `folder.toml`, nor a built-in scenario `folder`",
        ),
    ];
    let folder = folder(&[]);
    let mut names = Vec::new();
    let mut expected = Vec::new();
    for (name, bytes, message) in cases {
        fs::write(folder.path().join(name), bytes).unwrap();
        names.push(name.to_owned());
        expected.push(message);
    }
    // A hundred megabytes of which nothing is on the disk.
    let huge = File::create(folder.path().join("huge.toml")).unwrap();
    huge.set_len(100_000_000).unwrap();
    fs::create_dir(folder.path().join("folder.toml")).unwrap();
    for (name, message) in [
        (
            "huge.toml",
            "`huge.toml` cannot be read: the file is larger than 10 MiB, the most that a scenario may have",
        ),
        (
            "folder.toml",
            "`folder.toml` cannot be read: this is a folder, not a file",
        ),
        (
            "gone.toml",
            "there is no scenario file `gone.toml`, nor a built-in scenario of that name | did you mean `long.toml`?",
        ),
        (
            "isis-iran/genuin",
            "there is no scenario file `isis-iran/genuin`, nor a built-in scenario of that name | did you mean the built-in scenario `isis-iran/genuine`?",
        ),
    ] {
        names.push(name.to_owned());
        expected.push(message);
    }
    let mut wrong = String::new();
    for ((name, expected), said) in names.iter().zip(expected).zip(check(&folder, &names)) {
        // Names of built-in scenarios may follow.
        if said.len() != 1 || !said[0].starts_with(expected) {
            wrong.push_str(&format!(
                "{name}\n  expected {expected:?}\n  but got  {said:?}\n"
            ));
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn a_byte_order_mark_is_no_error() {
    let folder = folder(&[("bom.toml", &format!("\u{feff}{BASE}"))]);
    assert!(succeed(folder.path(), &["check", "bom.toml"]).starts_with("bom.toml: ok"));
}

/// An edit of the base (or of nothing), arguments of `run`, exit code, and what standard error must say.
type Failing = (
    &'static str,
    &'static str,
    &'static [&'static str],
    i32,
    &'static str,
);

/// What can be known only during the run, or from the command line.
const RUNS: &[Failing] = &[
    (
        "raid_rate / 365",
        "ln(anger_0 - raid_rate)",
        &["--defaults"],
        1,
        "error: run 0, 2025-01-01: process.raids.hazard is NaN: a formula must come to a finite number (guard divisions, logarithms and exponentials)",
    ),
    (
        "raid_rate / 365",
        "1 / (raid_rate - 6)",
        &["--defaults"],
        1,
        "error: run 0, 2025-01-01: process.raids.hazard is inf: a formula must come to a finite number (guard divisions, logarithms and exponentials)",
    ),
    (
        "raid_rate / 365",
        "raid_rate - 7",
        &["--defaults"],
        1,
        "error: run 0, 2025-01-01: process.raids.hazard is -1: a hazard cannot be negative (write max(0, ...))",
    ),
    (
        "foiled = 0.1",
        "foiled = \"anger_0 + 1\"",
        &[],
        1,
        "error: run 0, 2025-01-16: action.raid.foiled is 1.2: a probability lies between 0 and 1",
    ),
    (
        "probability = 0.5",
        "probability = \"anger_0 * 6\"",
        &[],
        1,
        "error: world 0 (runs from 0): calendar[0].probability is 1.2000000000000002, but must be between 0 and 1 (with anger_0 = 0.2)",
    ),
    (
        "score = \"self.anger\"",
        "probability = \"0.9 + event.killed\"",
        &[],
        1,
        "error: run 0, 2025-01-26: rule.answers.option[0].probability is 4.9: a probability lies between 0 and 1",
    ),
    (
        "score = \"self.anger\"",
        "score = \"1 / (event.killed - event.killed)\"",
        &[],
        1,
        "error: run 0, 2025-01-26: rule.answers.option[0].score is inf: a formula must come to a finite number (guard divisions, logarithms and exponentials)",
    ),
    (
        "id = \"hold\"",
        "id = \"hold\"\nwhen = \"event.killed > 0\"\n[rule.x]\nwho = \"north\"\non = \"raid\"\nas = \"any\"\nrationality = \"-event.killed\"\noption = [{ id = \"a\", score = 1, action = \"strike\", target = \"army\" }, { id = \"b\" }]",
        &[],
        1,
        "error: run 0, 2025-01-26: rule.x.rationality is -4: rationality cannot be negative",
    ),
    (
        "mean = 3",
        "mean = \"3 - event.killed\"",
        &[],
        1,
        "error: run 0, 2025-01-26: rule.answers.option[0].delay exponential: mean is -1; give a positive number, from 1e-150 to 1e150",
    ),
    (
        "{ dist = \"exponential\", mean = 3 }",
        "\"0 - event.killed\"",
        &[],
        1,
        "error: run 0, 2025-01-26: rule.answers.option[0].delay came to -4, but must be 0 or more",
    ),
    (
        "{ dist = \"exponential\", mean = 3 }",
        "\"1 / (event.killed - event.killed)\"",
        &[],
        1,
        "error: run 0, 2025-01-26: rule.answers.option[0].delay is inf: a formula must come to a finite number (guard divisions, logarithms and exponentials)",
    ),
    (
        "0.1 * event.killed",
        "ln(0 - event.killed)",
        &[],
        1,
        "error: run 0, 2025-01-26: action.raid.effects[0] is NaN: a formula must come to a finite number (guard divisions, logarithms and exponentials)",
    ),
    (
        "weight = 1",
        "weight = \"-event.killed\"\n[[action.raid.suspect]]\nwho = \"south\"\nweight = 1",
        &[],
        1,
        "error: run 0, 2025-01-26: action.raid.suspect[0].weight is -4: a weight cannot be negative",
    ),
    (
        "north.anger -= 0.1",
        "north.anger /= 0.1",
        &[],
        2,
        "error: `/=` means nothing in a formula",
    ),
    (
        "count = \"raid\"",
        "final = \"1 / (time - 365)\"",
        &[],
        1,
        "error: run 0, 2026-01-01: metric.raids.final is inf: a formula must come to a finite number (guard divisions, logarithms and exponentials)",
    ),
    (
        "anger = \"north.anger\"",
        "anger = \"sqrt(north.anger - 5)\"",
        &[],
        1,
        "error: run 0, 2025-01-01: timeline.series.anger is NaN: a formula must come to a finite number (guard divisions, logarithms and exponentials)",
    ),
    (
        "half_life = 60",
        "half_life = \"raid_rate - 6\"",
        &[],
        1,
        "error: world 2 (runs from 100): stock.anger.half_life is -1.",
    ),
    (
        "{ north = \"anger_0\"",
        "{ north = \"raid_rate / 6\"",
        &[],
        1,
        "error: world 0 (runs from 0): stock.anger.initial.north is 1.",
    ),
    (
        "{ north = \"anger_0\"",
        "{ north = \"raid_rate / 5\"",
        &["--defaults"],
        1,
        "error: with all parameters at their defaults: stock.anger.initial.north is 1.2, but must be between the stock's `min` and `max` (with raid_rate = 6)",
    ),
    (
        "",
        "",
        &["--set", "anger_0=2"],
        1,
        "error: world 0 (runs from 0): stock.anger.initial.north is 2, but must be between the stock's `min` and `max` (with anger_0 = 2)",
    ),
    (
        "",
        "",
        &["--set", "angr_0=2"],
        2,
        "error: the scenario has no parameter `angr_0`",
    ),
    (
        "",
        "",
        &["--set", "anger_0=high"],
        2,
        "error: invalid value 'anger_0=high' for '--set <NAME=VALUE>': `high` is not a finite number",
    ),
    (
        "",
        "",
        &["--set", "anger_0=nan"],
        2,
        "error: invalid value 'anger_0=nan' for '--set <NAME=VALUE>': `nan` is not a finite number",
    ),
    (
        "",
        "",
        &["--set", "anger_0=inf"],
        2,
        "error: invalid value 'anger_0=inf' for '--set <NAME=VALUE>': `inf` is not a finite number",
    ),
    (
        "",
        "",
        &["--set", "anger_0"],
        2,
        "error: invalid value 'anger_0' for '--set <NAME=VALUE>': write NAME=VALUE, for example plot_rate=0.5",
    ),
    (
        "",
        "",
        &["--runs", "18446744073709551615"],
        2,
        "error: 18446744073709551615 runs are too many",
    ),
];

#[test]
fn what_a_run_cannot_go_on_with() {
    let mut wrong = String::new();
    for (from, to, arguments, code, expected) in RUNS {
        assert!(BASE.contains(from), "{from}");
        let folder = folder(&[("a.toml", &BASE.replacen(from, to, 1))]);
        let line = ["run", "a.toml", "--runs", "200", "--out", "out"];
        let line = if arguments.contains(&"--runs") {
            &line[..2]
        } else {
            &line[..]
        };
        let done = flashpoint(folder.path(), &[line, arguments].concat());
        let left = fs::read_dir(folder.path()).unwrap().count();
        if (done.code, left) != (*code, 1)
            || !done.stdout.is_empty()
            || !done.stderr.contains(expected)
        {
            wrong.push_str(&format!(
                "{from:?} -> {to:?} {arguments:?}\n  expected {code} {expected:?}\n  but got  {}, {left} files, {:?} {:?}\n",
                done.code, done.stdout, done.stderr
            ));
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}
