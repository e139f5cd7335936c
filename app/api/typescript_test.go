package api_test

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

var generate = flag.Bool("generate", false, "rewrite the TypeScript types of the page")

const typescript = "../../frontend/src/lib/api/types.gen.ts"

// TestTypeScript holds the page's types to the Go ones: whoever changes
// them runs "make generate" and commits both.
func TestTypeScript(t *testing.T) {
	fset := token.NewFileSet()
	want := []byte("// Generated from app/api/types*.go by make generate. Do not edit.\n")
	names, err := filepath.Glob("types*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		file, err := parser.ParseFile(fset, name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		part, err := translate(file)
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, part...)
	}
	if *generate {
		if err := os.WriteFile(typescript, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(typescript)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, want) {
		t.Errorf("%s is not what types.go says: run make generate", typescript)
	}
}

// translate writes the types of a file in TypeScript: structs as interfaces,
// named strings as unions of their constants, with the comments of the source.
func translate(file *ast.File) ([]byte, error) {
	var out bytes.Buffer
	words := constants(file)
	for _, decl := range file.Decls {
		d, ok := decl.(*ast.GenDecl)
		if !ok || d.Tok != token.TYPE {
			continue
		}
		for _, s := range d.Specs {
			spec := s.(*ast.TypeSpec)
			doc := spec.Doc
			if doc == nil {
				doc = d.Doc
			}
			out.WriteString("\n")
			comment(&out, "", doc)
			switch typ := spec.Type.(type) {
			case *ast.Ident:
				fmt.Fprintf(&out, "export type %s = %s;\n", spec.Name.Name, strings.Join(words[spec.Name.Name], " | "))
			case *ast.StructType:
				if err := structure(&out, spec.Name.Name, typ); err != nil {
					return nil, err
				}
			default:
				return nil, fmt.Errorf("type %s is neither a struct nor a named string", spec.Name.Name)
			}
		}
	}
	return out.Bytes(), nil
}

// constants gathers the values of each named string type.
func constants(file *ast.File) map[string][]string {
	words := map[string][]string{}
	for _, decl := range file.Decls {
		d, ok := decl.(*ast.GenDecl)
		if !ok || d.Tok != token.CONST {
			continue
		}
		for _, s := range d.Specs {
			spec := s.(*ast.ValueSpec)
			if name, ok := spec.Type.(*ast.Ident); ok {
				for _, v := range spec.Values {
					if lit, ok := v.(*ast.BasicLit); ok {
						words[name.Name] = append(words[name.Name], lit.Value)
					}
				}
			}
		}
	}
	return words
}

func structure(out *bytes.Buffer, name string, typ *ast.StructType) error {
	if len(typ.Fields.List) == 0 {
		fmt.Fprintf(out, "export type %s = Record<string, never>;\n", name)
		return nil
	}
	fmt.Fprintf(out, "export interface %s {\n", name)
	for _, f := range typ.Fields.List {
		if f.Tag == nil || len(f.Names) != 1 {
			return fmt.Errorf("type %s: every field needs its own json tag", name)
		}
		tag := reflect.StructTag(strings.Trim(f.Tag.Value, "`")).Get("json")
		field, options, _ := strings.Cut(tag, ",")
		ts, err := fieldType(f.Type)
		if err != nil {
			return fmt.Errorf("type %s, field %s: %w", name, field, err)
		}
		if strings.Contains(options, "omit") {
			field += "?"
		}
		comment(out, "\t", f.Doc)
		fmt.Fprintf(out, "\t%s: %s;", field, ts)
		if f.Comment != nil {
			fmt.Fprintf(out, " // %s", strings.TrimSpace(f.Comment.Text()))
		}
		out.WriteString("\n")
	}
	out.WriteString("}\n")
	return nil
}

func fieldType(e ast.Expr) (string, error) {
	switch e := e.(type) {
	case *ast.Ident:
		switch e.Name {
		case "string":
			return "string", nil
		case "bool":
			return "boolean", nil
		case "int", "int64", "uint64", "float64":
			return "number", nil
		case "any":
			return "unknown", nil
		}
		if ast.IsExported(e.Name) {
			return e.Name, nil
		}
	case *ast.ArrayType:
		inner, err := fieldType(e.Elt)
		return inner + "[]", err
	case *ast.MapType:
		inner, err := fieldType(e.Value)
		return "Record<string, " + inner + ">", err
	case *ast.StarExpr:
		inner, err := fieldType(e.X)
		return inner + " | null", err
	}
	return "", fmt.Errorf("no TypeScript for %T", e)
}

func comment(out *bytes.Buffer, indent string, doc *ast.CommentGroup) {
	if doc == nil {
		return
	}
	for line := range strings.Lines(strings.TrimSpace(doc.Text())) {
		fmt.Fprintf(out, "%s// %s\n", indent, strings.TrimSpace(line))
	}
}
