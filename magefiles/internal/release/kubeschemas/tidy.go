package main

import "strings"

// asserting are the keywords that say what is valid, as far as they hold no schemas.
var asserting = []string{
	"$ref", "type", "required", "enum", "pattern", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties",
}

// quantity is what API servers accept where their own description says string: also a number.
var quantity = schema{
	"type":    []any{"string", "number"},
	"pattern": `^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?$`,
}

// tidy reduces a schema to what can be violated, and closes it: an object has no properties but those listed.
func tidy(s schema) schema {
	if s["format"] == "int-or-string" || s["x-kubernetes-int-or-string"] == true {
		return schema{"type": []any{"integer", "string"}}
	}
	out := schema{}
	for _, k := range asserting {
		if v, ok := s[k]; ok {
			out[k] = v
		}
	}
	if named, ok := s["properties"].(schema); ok {
		kept := schema{}
		for name, p := range named {
			kept[name] = tidy(p.(schema))
		}
		out["properties"] = kept
		// Parts of anyOf and the like have no type; they say something about an object that is closed elsewhere.
		if s["type"] == "object" && s["x-kubernetes-preserve-unknown-fields"] != true {
			out["additionalProperties"] = false
		}
	}
	for _, k := range []string{"items", "additionalProperties", "not"} {
		if inner, ok := s[k].(schema); ok {
			out[k] = tidy(inner)
		}
	}
	for _, k := range []string{"anyOf", "oneOf", "allOf"} {
		if parts, ok := s[k].([]any); ok {
			var kept []any
			for _, p := range parts {
				kept = append(kept, tidy(p.(schema)))
			}
			out[k] = kept
		}
	}
	return out
}

// references calls f with the name of every definition that a schema refers to, until one fails.
func references(node any, f func(name string) error) error {
	switch n := node.(type) {
	case schema:
		for k, v := range n {
			if ref, ok := v.(string); ok && k == "$ref" {
				if err := f(strings.TrimPrefix(ref, "#/definitions/")); err != nil {
					return err
				}
			} else if err := references(v, f); err != nil {
				return err
			}
		}
	case []any:
		for _, v := range n {
			if err := references(v, f); err != nil {
				return err
			}
		}
	}
	return nil
}
