import QtQuick
import QtQuick.Shapes
import Kiosk.ViewModels

// The house's name beside a moon gate: the round door of a Jiangnan garden.
Item {
    id: root

    required property string hotel
    required property real room

    signal held

    implicitHeight: row.implicitHeight
    implicitWidth: row.implicitWidth

    Row {
        id: row

        spacing: Theme.gap

        Shape {
            id: mark

            property real size: Theme.lead * 1.7

            height: size
            width: size

            ShapePath {
                capStyle: ShapePath.RoundCap
                fillColor: Theme.accent
                strokeColor: "transparent"

                PathSvg {
                    path: "M%1 %2 A%3 %3 0 1 1 %4 %2 Z".arg(mark.size * 0.27).arg(mark.size * 0.88).arg(mark.size * 0.45).arg(mark.size * 0.73)
                }
            }

            ShapePath {
                capStyle: ShapePath.RoundCap
                fillColor: "transparent"
                strokeColor: Theme.accentInk
                strokeWidth: Theme.stroke * 0.8

                PathSvg {
                    path: "M%1 %2 A%3 %3 0 1 1 %4 %2 M%5 %2 H%6".arg(mark.size * 0.38).arg(mark.size * 0.7).arg(mark.size * 0.23).arg(mark.size * 0.62).arg(mark.size * 0.26).arg(mark.size * 0.74)
                }
            }
        }

        Words {
            anchors.verticalCenter: parent.verticalCenter
            font.pixelSize: root.hotel.length > 20 ? Theme.body : Theme.lead
            strong: true
            text: root.hotel
            width: Math.min(implicitWidth, root.room - mark.width - row.spacing)
        }
    }

    TapHandler {
        gesturePolicy: TapHandler.ReleaseWithinBounds
        longPressThreshold: 1.2

        onLongPressed: root.held()
    }
}
