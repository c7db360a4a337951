// SPDX-License-Identifier: Apache-2.0
#include "config/load.h"

#include "config/assign.h"
#include "config/check.h"
#include "config/foreign.h"
#include "config/keys.h"
#include "config/value.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace fairlead::server::config {
namespace {

constexpr std::size_t list_limit = 10'000;  // namespaces, proxies

std::string joined(std::string_view parent, std::string_view name) {
  return parent.empty() ? std::string(name) : fmt::format("{}.{}", parent, name);
}

// Replaces, but for tables, which are put together.
void merge(Value& into, Value&& from) {
  auto* old_table = std::get_if<Table>(&into.data);
  auto* new_table = std::get_if<Table>(&from.data);
  if (old_table == nullptr || new_table == nullptr) {
    into = std::move(from);
    return;
  }
  for (auto& [name, value] : *new_table) merge((*old_table)[name], std::move(value));
}

void put(Value& root, std::string_view path, Value value) {
  Value* at = &root;
  while (!path.empty()) {
    const std::size_t dot = std::min(path.find('.'), path.size());
    if (!std::holds_alternative<Table>(at->data)) at->data = Table{};
    at = &std::get<Table>(at->data)[std::string(path.substr(0, dot))];
    path.remove_prefix(std::min(dot + 1, path.size()));
  }
  *at = std::move(value);
}

class Reader {
 public:
  explicit Reader(const ConfigSources& sources) : sources_(sources) {}

  std::expected<Loaded, std::vector<Problem>> run() {
    root_.data = Table{};
    read_file();
    read_environment();
    for (const auto& [path, text] : sources_.overrides) put(root_, path, Value{text, "option", true});
    if (problems_.empty()) fill();
    if (!problems_.empty()) return std::unexpected(std::move(problems_));
    return std::move(loaded_);
  }

 private:
  void complain(std::string origin, std::string key, std::string rule) {
    if (problems_.size() < problems_limit) {
      problems_.push_back({std::move(origin), std::move(key), std::move(rule)});
    } else if (problems_.size() == problems_limit) {
      problems_.push_back({"", "", "there is more that is wrong"});
    }
  }

  void read_file() {
    if (!sources_.file) return;
    const File& file = *sources_.file;
    if (file.name.ends_with(".yaml") || file.name.ends_with(".yml"))
      return complain(file.name, "", "is YAML, which is not read here: write TOML, or JSON in a file called .json");
    auto tree = file.format == Format::json ? read_json(file.text, file.name) : read_toml(file.text, file.name);
    if (!tree) return complain(file.name, tree.error().where, tree.error().rule);
    if (!std::holds_alternative<Table>(tree->data)) return complain(file.name, "", "must be a table of sections");
    merge(root_, std::move(*tree));
  }

  // A variable that is no key is only noted: schedulers of containers inject such names on their own account.
  void read_environment() {
    std::map<std::string, std::string, std::less<>> paths;
    std::vector<std::string> known;
    for (const std::string& path : known_paths())
      known.push_back(paths.emplace(environment_name(path), path).first->first);
    for (const auto& [name, text] : sources_.environment) {
      if (!name.starts_with("FAIRLEAD_")) continue;
      if (const auto found = paths.find(name); found != paths.end()) {
        put(root_, found->second, Value{text, "environment", true});
      } else {
        const std::string meant = nearest(name, known);
        loaded_.notes.push_back(
            {"environment", name,
             "is not the name of a key" + (meant.empty() ? std::string() : fmt::format("; did you mean {}?", meant))});
      }
    }
  }

  void fill() {
    // What namespaces begin with is read before them.
    if (const Value* meta = find(meta_ttl_path)) set(*find_key(meta_ttl_path), *meta);
    meta_ttl_ = loaded_.settings.channel.without_namespace.history_meta_ttl;
    walk("", std::get<Table>(root_.data));
    hand_down_data_format();
    auto& named = loaded_.settings.backend.named;
    std::erase_if(named, [](const auto& proxy) { return proxy.second.endpoint.empty(); });
    if (!problems_.empty()) return;
    const std::string origin = sources_.file ? sources_.file->name : "configuration";
    for (Problem& problem : check(loaded_.settings)) complain(origin, std::move(problem.key), std::move(problem.rule));
  }

  void hand_down_data_format() {
    ChannelSettings& channel = loaded_.settings.channel;
    const auto fill = [&](ChannelOptions& options) {
      if (options.publication_data_format.empty()) options.publication_data_format = channel.publication_data_format;
    };
    fill(channel.without_namespace);
    for (auto& [name, options] : channel.namespaces) fill(options);
  }

  [[nodiscard]] const Value* find(std::string_view path) const {
    const Value* at = &root_;
    while (!path.empty()) {
      const auto* table = std::get_if<Table>(&at->data);
      const std::size_t dot = std::min(path.find('.'), path.size());
      if (table == nullptr) return nullptr;
      const auto found = table->find(path.substr(0, dot));
      if (found == table->end()) return nullptr;
      at = &found->second;
      path.remove_prefix(std::min(dot + 1, path.size()));
    }
    return at;
  }

  void walk(const std::string& prefix, const Table& table) {
    for (const auto& [name, value] : table) visit(joined(prefix, name), value);
  }

  void visit(const std::string& path, const Value& value) {
    if (path == meta_ttl_path) return;
    if (path == namespaces_path)
      return each(path, value, [this](const auto& at, const auto& one) { add_namespace(at, one); });
    if (path == rpc_namespaces_path)
      return each(path, value, [this](const auto& at, const auto& one) { add_rpc_namespace(at, one); });
    if (path == proxies_path) return each(path, value, [this](const auto& at, const auto& one) { add_proxy(at, one); });
    if (const Key* key = find_key(path)) return set(*key, value);
    const auto* table = std::get_if<Table>(&value.data);
    if (!is_section(path)) return unknown(path, value, known_paths());
    if (table == nullptr) return complain(value.origin, path, "must be a table");
    walk(path, *table);
  }

  static bool is_section(const std::string& path) {
    const auto below = [start = path + "."](const std::string& known) { return known.starts_with(start); };
    return std::ranges::any_of(known_paths(), below);
  }

  void set(const Key& key, const Value& value) {
    if (const auto done = assign(key.slot(loaded_.settings), key.traits, value); !done)
      complain(value.origin, key.path, done.error());
  }

  void unknown(const std::string& path, const Value& value, const std::vector<std::string>& known) {
    if (const auto about = foreign(path, value)) {
      if (about->use == ForeignUse::refused)
        return complain(value.origin, path, "is not supported: " + about->sentence);
      loaded_.notes.push_back({value.origin, path, "is ignored: " + about->sentence});
      return;
    }
    const std::string meant = meant_by(path, value, known);
    complain(value.origin, path, meant.empty() ? "is not a key" : fmt::format("is not a key; did you mean {}?", meant));
  }

  // A table stands for a section: with its own name wrong, or at the wrong place. It stands in some already.
  static std::string meant_by(const std::string& path, const Value& value, const std::vector<std::string>& known) {
    if (std::holds_alternative<Table>(value.data)) {
      auto sections = sections_of(known);
      std::erase_if(sections, [&](const std::string& one) { return path.starts_with(one + "."); });
      if (std::string section = nearest(path, sections); !section.empty()) return section;
    }
    return nearest(path, known);
  }

  template <class Each>
  void each(const std::string& path, const Value& value, Each&& body) {
    Value spelled = value;
    if (const auto* text = std::get_if<std::string>(&value.data); text != nullptr && value.words) {
      auto read = read_json(*text, value.origin);
      if (read) spelled = std::move(*read);
    }
    const auto* list = std::get_if<List>(&spelled.data);
    if (list == nullptr) return complain(value.origin, path, "must be a list of tables");
    if (list->size() > list_limit) return complain(value.origin, path, "has too many elements");
    for (std::size_t i = 0; i < list->size(); ++i) body(fmt::format("{}[{}]", path, i), (*list)[i]);
  }

  // The keys of one element into `owner`. Their names may have dots ("http.static_headers").
  template <class Owner>
  void fill_element(const std::string& at, const std::string& prefix, const Table& table, Owner& owner,
                    const std::vector<Field<Owner>>& fields) {
    for (const auto& [name, value] : table) {
      const std::string path = joined(prefix, name);
      if (path == "name") continue;
      const auto found = std::ranges::find(fields, std::string_view(path), &Field<Owner>::name);
      const auto below = [&](const auto& one) { return one.name.starts_with(path + "."); };
      const auto* inner = std::get_if<Table>(&value.data);
      if (found != fields.end()) {
        if (const auto done = assign(found->slot(owner), found->traits, value); !done)
          complain(value.origin, joined(at, path), done.error());
      } else if (!std::ranges::any_of(fields, below)) {
        unknown_of_element(at, path, value, fields);
      } else if (inner == nullptr) {
        complain(value.origin, joined(at, path), "must be a table");
      } else {
        fill_element(at, path, *inner, owner, fields);
      }
    }
  }
  template <class Fields>
  void unknown_of_element(const std::string& at, const std::string& path, const Value& value, const Fields& fields) {
    std::vector<std::string> known;
    known.reserve(fields.size());
    for (const auto& one : fields) known.push_back(joined(at, one.name));
    unknown(joined(at, path), value, known);
  }

  // The element's name, or a complaint about it.
  const std::string* name_of(const std::string& at, const Value& value) {
    const auto* table = std::get_if<Table>(&value.data);
    if (table == nullptr) return complain(value.origin, at, "must be a table"), nullptr;
    const auto found = table->find("name");
    const auto* name = found == table->end() ? nullptr : std::get_if<std::string>(&found->second.data);
    if (name == nullptr) complain(value.origin, joined(at, "name"), "is missing");
    return name;
  }

  void add_namespace(const std::string& at, const Value& value) {
    const std::string* name = name_of(at, value);
    if (name == nullptr) return;
    if (!is_namespace_name(*name))
      return complain(value.origin, joined(at, "name"), "must be two or more of A-Z a-z 0-9 - _ .");
    ChannelOptions options;
    options.history_meta_ttl = meta_ttl_;
    fill_element(at, "", std::get<Table>(value.data), options, channel_fields());
    if (!loaded_.settings.channel.namespaces.emplace(*name, std::move(options)).second)
      complain(value.origin, joined(at, "name"), "is the name of another namespace");
  }

  void add_rpc_namespace(const std::string& at, const Value& value) {
    const std::string* name = name_of(at, value);
    if (name == nullptr) return;
    if (!is_namespace_name(*name))
      return complain(value.origin, joined(at, "name"), "must be two or more of A-Z a-z 0-9 - _ .");
    RpcOptions options;
    fill_element(at, "", std::get<Table>(value.data), options, rpc_fields());
    if (!loaded_.settings.auth.rpc.namespaces.emplace(*name, std::move(options)).second)
      complain(value.origin, joined(at, "name"), "is the name of another namespace");
  }

  void add_proxy(const std::string& at, const Value& value) {
    const std::string* name = name_of(at, value);
    if (name == nullptr) return;
    if (!is_namespace_name(*name) || *name == "default")
      return complain(value.origin, joined(at, "name"), "must be two or more of A-Z a-z 0-9 - _ . and not \"default\"");
    ProxySettings proxy;
    proxy.name = *name;
    fill_element(at, "", std::get<Table>(value.data), proxy, proxy_fields());
    if (proxy.endpoint.empty()) complain(value.origin, joined(at, "endpoint"), "is missing");
    if (!loaded_.settings.backend.named.emplace(*name, std::move(proxy)).second)
      complain(value.origin, joined(at, "name"), "is the name of another proxy");
  }

  const ConfigSources& sources_;
  Value root_;
  Milliseconds meta_ttl_{0};
  Loaded loaded_;
  std::vector<Problem> problems_;
};

}  // namespace

Format format_of(std::string_view file_name) noexcept {
  return file_name.ends_with(".json") ? Format::json : Format::toml;
}

std::string to_string(const Problem& problem) {
  std::string text = problem.origin;
  if (!text.empty()) text += ": ";
  text += problem.key;
  if (!problem.key.empty()) text += problem.key.starts_with("line ") ? ": " : " ";
  return text + problem.rule;
}

std::string to_string(const std::vector<Problem>& problems) {
  std::string lines;
  for (const Problem& problem : problems) lines += (lines.empty() ? "" : "\n") + to_string(problem);
  return lines;
}

std::expected<Loaded, std::vector<Problem>> read(const ConfigSources& sources) { return Reader(sources).run(); }

Outcome<Settings> load(const ConfigSources& sources) {
  auto loaded = read(sources);
  if (loaded) return std::move(loaded->settings);
  return std::unexpected(Fault{FaultKind::invalid, to_string(loaded.error())});
}

}  // namespace fairlead::server::config
