# Objects, arrays, grouping and text conversion, without input.
[range(0; 40000) | {id: ., name: "name \(. * 7919 % 40009)", town: (. * 31 % 97), tags: [range(0; . % 6)]}]
| group_by(.town)
| map({town: .[0].town, people: length, tags: (map(.tags | length) | add), names: (map(.name) | sort | join(","))})
| map(. + {text: tostring})
| map(.text | fromjson | .people) | add
