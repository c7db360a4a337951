// SPDX-License-Identifier: Apache-2.0
// Who listens to what on one loop. It hands each delivery to the subscribers of its channel and knows the sessions by
// client and by user, for the server's own commands. No sockets, no clock, one thread.
#pragma once

#include "hub/delivery_batch.h"
#include "model/publication.h"

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace fairlead::server {

// One subscription of one session, in one channel at a time. Its calls may remove it, or others, from the hub.
class Subscriber {
 public:
  Subscriber() = default;
  Subscriber(const Subscriber&) = delete;
  Subscriber& operator=(const Subscriber&) = delete;
  virtual ~Subscriber() = default;
  virtual void on_delivery(const DeliveryPtr& delivery) = 0;
  // Several at once. False, and nothing done: they are to come one by one.
  virtual bool on_deliveries(const DeliveryBatch& /*batch*/) { return false; }
  // Will be told something in a moment: what it looks at may be fetched into the cache. Changes nothing.
  virtual void warm() const noexcept {}
  virtual void on_join(const ClientInfo& info) = 0;
  virtual void on_leave(const ClientInfo& info) = 0;

 private:
  friend class Hub;
  std::size_t place_ = 0;  // among the channel's members
};

class Hub {
 public:
  Hub();
  Hub(const Hub&) = delete;
  Hub& operator=(const Hub&) = delete;
  ~Hub();

  // True when it is the channel's first subscriber on this loop. It hears from the next delivery on.
  bool add(const std::string& channel, Subscriber& subscriber);
  // True when it was the last one.
  bool remove(const std::string& channel, Subscriber& subscriber);

  void deliver(const DeliveryPtr& delivery);
  void deliver(const DeliveryBatch& batch);
  void join(const std::string& channel, const ClientInfo& info);
  void leave(const std::string& channel, const ClientInfo& info);

  [[nodiscard]] std::size_t subscribers(std::string_view channel) const;
  [[nodiscard]] std::size_t channels() const noexcept;
  [[nodiscard]] std::size_t subscriptions() const noexcept;

 private:
  struct Members;  // tolerates removal while it is walked through
  struct NameHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const noexcept { return std::hash<std::string_view>{}(name); }
  };
  template <class Tell>
  void walk(std::string_view channel, Tell tell);
  template <class Tell>
  void tell(std::string_view channel, Tell tell);

  std::unordered_map<std::string, std::shared_ptr<Members>, NameHash, std::equal_to<>> channels_;
  std::size_t subscriptions_ = 0;
};

}  // namespace fairlead::server
