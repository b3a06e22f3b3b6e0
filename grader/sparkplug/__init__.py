"""A trainee's Sparkplug B edge node, judged assertion by assertion from the journal.

`story` reads the journal into sessions and messages of one node; `assertion` holds what an assertion is and runs them; the
other modules hold the assertions themselves, one per part of the specification. Ids are those of the Sparkplug Specification
3.0.0 without ``tck-id-``, sets those of its compatibility kit.
"""
