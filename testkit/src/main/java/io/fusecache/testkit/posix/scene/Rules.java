package io.fusecache.testkit.posix.scene;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** A collection of rules under way. */
public final class Rules {
    private final List<Rule> rules = new ArrayList<>();
    private final Set<String> names = new HashSet<>();

    /** @throws IllegalStateException where a rule has this name already */
    public void add(String page, String text, Rule.Body body) {
        add(new Rule(page, text, false, body));
    }

    /** One that takes longer than all others together. */
    public void addSlow(String page, String text, Rule.Body body) {
        add(new Rule(page, text, true, body));
    }

    private void add(Rule rule) {
        if (!names.add(rule.name())) {
            throw new IllegalStateException("two rules are called '" + rule.name() + "'");
        }
        rules.add(rule);
    }

    public List<Rule> all() {
        return List.copyOf(rules);
    }
}
