package io.fusecache.tiers.cloud;

import io.fusecache.cache.CloudTier.Pages;
import io.fusecache.metadata.FileName;
import io.fusecache.metadata.ListedObject;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A listing of a store that has no order, in the order of names. What follows from a name that is not listed relies on the order, so
 * nothing is given before all is there: some hundred bytes of memory for each name.
 */
final class SortedPages implements Pages {
    private static final int PAGE = 1000;

    private final Pages unsorted;
    private final SortedMap<FileName, ListedObject> all = new TreeMap<>();
    private @Nullable Iterator<ListedObject> sorted;
    private boolean begun;

    SortedPages(Pages unsorted) {
        this.unsorted = unsorted;
    }

    @Override
    public Optional<List<ListedObject>> next() throws IOException {
        Iterator<ListedObject> names = sorted;
        if (names == null) {
            names = all();
            sorted = names;
        }
        if (begun && !names.hasNext()) {
            return Optional.empty();
        }
        begun = true;
        List<ListedObject> page = new ArrayList<>(PAGE);
        while (page.size() < PAGE && names.hasNext()) {
            page.add(names.next());
        }
        return Optional.of(page);
    }

    /** What was there before a page failed stays, for whoever asks again. */
    private Iterator<ListedObject> all() throws IOException {
        for (Optional<List<ListedObject>> page = unsorted.next(); page.isPresent(); page = unsorted.next()) {
            for (ListedObject object : page.get()) {
                // Where an object and a directory have one name, the directory.
                all.merge(object.name(), object, (first, second) -> first.directory() ? first : second);
            }
        }
        return all.values().iterator();
    }
}
